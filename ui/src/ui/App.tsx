// The page: header, the banner, the current view, the help dialog, the keyboard.
//
//   main.tsx → [App] → Header, Banner, views/registry.ts → view
import { useEffect, useState } from "preact/hooks";
import { chooseRange } from "../state/range.ts";
import { reload } from "../state/live.ts";
import { toggleTheme } from "../state/theme.ts";
import { chooseView, view } from "../state/view.ts";
import { VIEWS } from "../views/registry.ts";
import { Banner } from "./Banner.tsx";
import { Header } from "./Header.tsx";
import { HelpDialog } from "./HelpDialog.tsx";
import { actionFor, isTyping } from "./shortcuts.ts";
import { Tabs } from "./Tabs.tsx";

export function App() {
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const action = actionFor(event, isTyping(event.target));
      if (action === null) return;
      event.preventDefault();
      switch (action.do) {
        case "range":
          return chooseRange(action.range);
        case "refresh":
          return reload();
        case "theme":
          return toggleTheme();
        case "view":
          return chooseView(view.peek() === "storage" ? "dashboard" : "storage");
        case "help":
          // Another dialog stays alone on top.
          return setHelp((open) => !open && document.querySelector("dialog[open]") === null);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const View = (VIEWS.find(({ id }) => id === view.value) ?? VIEWS[0]).component;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header onHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <Tabs place="narrow" />
        <Banner />
        <View />
      </main>
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </>
  );
}
