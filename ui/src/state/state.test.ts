import { describe, expect, test } from "vitest";
import { Prefs } from "./prefs.ts";
import { RANGES, rangeById } from "./ranges.ts";
import { readUrl, writeUrl } from "./url.ts";

describe("url", () => {
  test("reads a known range and falls back for anything else", () => {
    expect(["", "?range=6h", "?range=7d", "?range=99y", "?range="].map((s) => readUrl(s).range)).toEqual(["1h", "6h", "7d", "1h", "1h"]);
  });

  test("writes what it reads, leaves the default out and others' parameters in", () => {
    expect(writeUrl("", { range: "24h" })).toBe("?range=24h");
    expect(writeUrl("?range=24h", { range: "1h" })).toBe("");
    expect(writeUrl("?theirs=1&range=6h", { range: "7d" })).toBe("?theirs=1&range=7d");
    for (const { id } of RANGES) expect(readUrl(writeUrl("", { range: id })).range).toBe(id);
  });
});

test("every range is a whole number of bins, few enough to draw", () => {
  for (const { rangeMs, stepMs } of RANGES) {
    expect(rangeMs % stepMs).toBe(0);
    expect(rangeMs / stepMs).toBeGreaterThanOrEqual(150);
    expect(rangeMs / stepMs).toBeLessThanOrEqual(400);
  }
  expect(rangeById(null).id).toBe("1h");
});

test("the view is a parameter of its own", () => {
  expect(["", "?view=storage", "?view=explore"].map((s) => readUrl(s).view)).toEqual(["dashboard", "storage", "dashboard"]);
  expect(writeUrl("?range=6h", { view: "storage" })).toBe("?range=6h&view=storage");
  expect(writeUrl("?range=6h&view=storage", { view: "dashboard" })).toBe("?range=6h");
  expect(writeUrl("?view=storage", { range: "90d" })).toBe("?view=storage&range=90d");
});

describe("prefs", () => {
  const memory = () => {
    const kept = new Map<string, string>();
    return { kept, getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) };
  };

  test("remembers sets", () => {
    const store = memory();
    new Prefs(() => store).setSet("k", new Set(["b", "a"]));
    expect(store.kept.get("k")).toBe('["a","b"]');
    expect(new Prefs(() => store).getSet("k")).toEqual(new Set(["a", "b"]));
  });

  test("broken content counts as nothing", () => {
    const store = memory();
    for (const text of ["{", '"x"', "[1,2]", "null"]) {
      store.kept.set("k", text);
      expect(new Prefs(() => store).getSet("k")).toEqual(new Set());
    }
  });

  test("forbidden storage still remembers until the page is closed", () => {
    const prefs = new Prefs(() => {
      throw new Error("forbidden");
    });
    expect(prefs.get("k")).toBeNull();
    prefs.set("k", "v");
    expect(prefs.get("k")).toBe("v");
  });
});
