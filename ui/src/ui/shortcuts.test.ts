import { expect, test } from "vitest";
import { actionFor } from "./shortcuts.ts";

const key = (name: string, more: Partial<KeyboardEvent> = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  ...more,
});

test("the keys do what the help says", () => {
  expect(["1", "2", "3", "4", "5", "6", "7"].map((k) => actionFor(key(k), false))).toEqual(
    ["1h", "6h", "24h", "7d", "30d", "90d", "1y"].map((range) => ({ do: "range", range })),
  );
  expect(["r", "R", "t", "T", "s", "?"].map((k) => actionFor(key(k), false)?.do)).toEqual(["refresh", "refresh", "theme", "theme", "view", "help"]);
  expect(["8", "x", "Enter", "Escape"].map((k) => actionFor(key(k), false))).toEqual([null, null, null, null]);
});

test("the browser's keys, typing and held keys are left alone", () => {
  for (const modifier of ["ctrlKey", "metaKey", "altKey", "repeat"]) {
    expect(actionFor(key("r", { [modifier]: true }), false)).toBeNull();
  }
  expect(actionFor(key("r"), true)).toBeNull();
});
