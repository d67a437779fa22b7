import { expect, test } from "vitest";
import type { Resolution } from "../api/types.ts";
import { windowsBadge, windowsTitle } from "../format/resolution.ts";
import { coverageOf } from "./coverage.ts";
import { gridFrom } from "./grid.ts";
import { mergeTracks, type Track } from "./track.ts";

const HOUR = 3_600_000;
const grid = gridFrom(0, 100 * HOUR, HOUR);

const track = (...parts: [Resolution, startH: number, endH: number][]): Track => ({
  name: "x",
  labels: {},
  key: "x",
  times: [50 * HOUR, 99 * HOUR],
  values: [1, 2],
  stretches: parts.map(([resolution, start, end]) => ({ resolution, start: start * HOUR, end: end * HOUR - 1 })),
});
const badge = (...parts: [Resolution, number, number][]) => windowsBadge(coverageOf([track(...parts)], grid));

test("V-1 samples alone are not worth a word, nor are windows left of the chart", () => {
  expect([badge(), badge(["raw", 0, 100]), badge(["1h", -20, 0], ["raw", 0, 100])]).toEqual([null, null, null]);
});

test("V-2, V-3 the badge names what there is, in order of time", () => {
  expect(badge(["5m", 0, 100])).toBe("5 min windows");
  expect(badge(["1h", 0, 96], ["raw", 96, 100])).toBe("1 h windows");
  expect(badge(["1h", 0, 90], ["raw", 90, 100])).toBe("1 h → raw");
  expect(badge(["1h", 0, 30], ["5m", 30, 60], ["raw", 60, 100])).toBe("1 h → 5 min → raw");
  expect(badge(["1h", 0, 1], ["raw", 1, 100])).toBe("1 h → raw");
  expect(badge(["1h", 0, 95], ["5m", 95, 98], ["raw", 98, 100])).toBe("1 h windows");
});

test("V-2 of several series each resolution is one part, which begins with the first of them", () => {
  const parts = coverageOf([track(["5m", 0, 50], ["raw", 50, 100]), track(["5m", 0, 60], ["raw", 60, 100])], grid);
  expect(parts).toEqual([
    { resolution: "5m", startMs: 0, named: true },
    { resolution: "raw", startMs: 50 * HOUR, named: true },
  ]);
});

test("the title is one sentence with the border, the short end included", () => {
  const at = new Date(2026, 10, 22, 6).getTime();
  const parts = [
    { resolution: "1h", startMs: 0, named: true },
    { resolution: "5m", startMs: at, named: false },
    { resolution: "raw", startMs: at + 1_000, named: false },
  ] as const;
  expect(windowsTitle(parts)).toBe("What is kept of windows of 1 h until Nov 22, 06:00, then samples as they were pushed.");
});

test("refreshes do not pile up stretches", () => {
  let merged = [track(["1h", 0, 98], ["raw", 98, 99])];
  for (let i = 0; i < 3; i += 1) merged = mergeTracks(merged, [track(["raw", 98.5 + i / 10, 99.5 + i / 10])], (98.5 + i / 10) * HOUR, 0);
  expect(merged[0]?.stretches).toEqual([
    { resolution: "1h", start: 0, end: 98 * HOUR - 1 },
    { resolution: "raw", start: 98 * HOUR, end: 99.7 * HOUR - 1 },
  ]);
  expect(mergeTracks(merged, [], 90 * HOUR, 0)[0]?.stretches).toEqual([{ resolution: "1h", start: 0, end: 90 * HOUR - 1 }]);
});
