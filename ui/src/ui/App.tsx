// The page: header, the current view, the help dialog, the keyboard.
//
//   main.tsx → [App] → Header, views/registry.ts → view
import { useEffect, useState } from "preact/hooks";
import { chooseRange } from "../state/range.ts";
import { reload } from "../state/live.ts";
import { toggleTheme } from "../state/theme.ts";
import { VIEWS } from "../views/registry.ts";
import { Header } from "./Header.tsx";
import { HelpDialog } from "./HelpDialog.tsx";
import { actionFor, isTyping } from "./shortcuts.ts";

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
        case "help":
          // Another dialog stays alone on top.
          return setHelp((open) => !open && document.querySelector("dialog[open]") === null);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const View = VIEWS[0].component;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the charts
      </a>
      <Header onHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <View />
      </main>
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </>
  );
}
