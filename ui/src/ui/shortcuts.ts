// The keyboard: which key does what, in one table that the help dialog shows too.
//
// Must hold: keys with Ctrl, Cmd or Alt belong to the browser, and keys typed into a field to the
// field; a held key acts once.
import { RANGES, type RangeId } from "../state/ranges.ts";

export type Action = { readonly do: "range"; readonly range: RangeId } | { readonly do: "refresh" | "theme" | "view" | "help" };

export interface Shortcut {
  readonly keys: string;
  readonly what: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  ...RANGES.map((range) => ({ keys: range.key, what: range.title })),
  { keys: "R", what: "Refresh now" },
  { keys: "S", what: "Storage, or back to the charts" },
  { keys: "T", what: "Light or dark theme" },
  { keys: "?", what: "This help" },
  { keys: "Esc", what: "Close" },
];

export const CHART_KEYS: readonly Shortcut[] = [
  { keys: "← →", what: "Read the values one by one" },
  { keys: "Home End", what: "First and last value" },
  { keys: "Enter", what: "Open the chart with its table" },
];

/** The part of a KeyboardEvent that decides. */
export interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly repeat: boolean;
}

export function actionFor(event: Key, typing: boolean): Action | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing) return null;
  const range = RANGES.find((r) => r.key === event.key);
  if (range) return { do: "range", range: range.id };
  switch (event.key.toLowerCase()) {
    case "r":
      return { do: "refresh" };
    case "s":
      return { do: "view" };
    case "t":
      return { do: "theme" };
    case "?":
      return { do: "help" };
    default:
      return null;
  }
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
