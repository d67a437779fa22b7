// Light or dark: the system's choice until the user makes one, which is remembered.
//
// Must agree with build/theme-boot.js, which sets the same attribute before the first paint.
import { signal } from "@preact/signals";
import { prefs } from "./prefs.ts";

export type Theme = "light" | "dark";

export const THEME_KEY = "tinyobs-theme";

const system = matchMedia("(prefers-color-scheme: dark)");

export const theme = signal<Theme>(current());

export function toggleTheme(): void {
  const next = theme.value === "dark" ? "light" : "dark";
  prefs.set(THEME_KEY, next);
  apply(next);
}

system.addEventListener("change", () => apply(current()));
apply(theme.value);

function current(): Theme {
  const chosen = prefs.get(THEME_KEY);
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

function apply(next: Theme): void {
  // The attribute first: whoever reacts to the signal reads the new colours.
  document.documentElement.dataset["theme"] = next;
  theme.value = next;
}
