import { describe, expect, test } from "vitest";
import { gridFrom } from "../../derive/grid.ts";
import { rangeById } from "../../state/ranges.ts";
import type { DrawingData } from "../../derive/drawing.ts";
import { headline, newestValue, spread, valueAtTime, windowTitle } from "./readout.ts";

describe("valueAtTime", () => {
  const times = [0, 10, 20, 30, 31, 100];
  const values = [1, undefined, 2, 3, null, 9];
  const at = (t: number) => valueAtTime(times, values, t, 5);

  test("the nearest sample where the line is drawn", () => {
    expect([0, 4, 9, 11, 20, 24, 26].map(at)).toEqual([1, 1, 1, 2, 2, 2, 3]);
  });

  test("nothing in a gap, but a line's end is read from nearby", () => {
    expect([31, 40, 41, 60, 89, 90, 100, 110, 111].map(at)).toEqual([3, null, null, null, null, 9, 9, 9, null]);
  });

  test("no samples, no value", () => {
    expect(valueAtTime([], [], 5, 5)).toBeNull();
    expect(valueAtTime([1, 2], [null, undefined], 1, 5)).toBeNull();
  });
});

test("newestValue and spread leave out what is unknown", () => {
  expect(newestValue([1, 2, null, undefined])).toBe(2);
  expect(newestValue([null])).toBeNull();
  expect(spread([4, null, 1, undefined, 1])).toEqual({ min: 1, mean: 2, max: 4 });
  expect(spread([null])).toBeNull();
});

describe("headline", () => {
  const data = (more: Partial<DrawingData>, ...last: number[]): DrawingData => ({
    times: [0],
    lines: last.map((v, i) => ({ key: `${i}`, labels: {}, values: [v], alive: true, label: `${i}`, colour: i })),
    heat: null,
    unit: "perSecond",
    fromZero: true,
    subtitle: "",
    more: 0,
    series: last.length,
    newest: null,
    ...more,
  });

  test("rates add up, gauges do not", () => {
    expect(headline(data({}, 1.5, 2))).toEqual({ value: "3.5/s", of: "total" });
    expect(headline(data({ fromZero: false }, 1.5, 2))).toBeNull();
    expect(headline(data({ fromZero: false, unit: "none" }, 7))).toEqual({ value: "7", of: "" });
  });

  test("an age has its date", () => {
    const at = new Date(2026, 10, 22, 4, 14, 45).getTime();
    expect(headline(data({ fromZero: false, unit: "age", times: [at] }, 12))).toEqual({ value: "12 s ago", of: "", date: "2026-11-22 04:14:33" });
  });

  test("no total when lines are left out", () => {
    expect(headline(data({ more: 3 }, 1, 2))).toBeNull();
  });

  test("a histogram's p90", () => {
    expect(headline(data({ heat: { bounds: [], cells: [] }, unit: "seconds" }, 0.1, 0.2, 0.3))).toEqual({ value: "200 ms", of: "p90" });
  });
});

test("the window is named by what it shows", () => {
  const range = rangeById("24h");
  const grid = gridFrom(0, 754_000, 5_000);
  expect(windowTitle({ young: true, range, grid })).toBe("last 13 min");
  expect(windowTitle({ young: true, range, grid: gridFrom(0, 5_400_000, 5_000) })).toBe("last 1.5 h");
  expect(windowTitle({ young: false, range, grid })).toBe("last 24 hours");
});
