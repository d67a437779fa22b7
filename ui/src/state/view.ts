// The view that is shown, kept in the address; each is a step in the browser's history.
import { signal } from "@preact/signals";
import { readUrl, writeUrl, type ViewId } from "./url.ts";

export const view = signal<ViewId>(readUrl(location.search).view);

/** The address of a view, for a link. */
export function viewHref(id: ViewId): string {
  return `${location.pathname}${writeUrl(location.search, { view: id })}`;
}

export function chooseView(id: ViewId): void {
  if (id === view.value) return;
  history.pushState(null, "", viewHref(id));
  view.value = id;
  scrollTo(0, 0);
}

addEventListener("popstate", () => {
  view.value = readUrl(location.search).view;
});
