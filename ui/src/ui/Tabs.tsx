// The views as links: a click stays on the page, anything else (a new tab, a copied address) is the browser's.
import type { ComponentChildren } from "preact";
import type { ViewId } from "../state/url.ts";
import { chooseView, view, viewHref } from "../state/view.ts";
import { range } from "../state/range.ts";
import { VIEWS } from "../views/registry.ts";

/** In the header where there is room, above the view on a phone: one of the two is shown. */
export function Tabs({ place }: { place: "wide" | "narrow" }) {
  return (
    <nav class={`views views-${place}`} aria-label="Views">
      {VIEWS.map(({ id, title }) => (
        <ViewLink key={id} id={id} tab>
          {title}
        </ViewLink>
      ))}
    </nav>
  );
}

export function ViewLink({ id, tab, children }: { id: ViewId; tab?: boolean; children: ComponentChildren }) {
  // The address holds the range, too.
  void range.value;
  return (
    <a
      class={tab ? "view-link" : "link"}
      href={viewHref(id)}
      {...(tab && view.value === id ? { "aria-current": "page" as const } : {})}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        chooseView(id);
      }}
    >
      {children}
    </a>
  );
}
