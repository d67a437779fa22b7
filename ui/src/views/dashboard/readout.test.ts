import { describe, expect, test } from "vitest";
import { gridFrom } from "../../derive/grid.ts";
import { rangeById } from "../../state/ranges.ts";
import type { DrawingData } from "../../derive/drawing.ts";
import { endedAt, headline, newestValue, notDrawn, spoken, spread, textAt, valueAtTime, windowTitle } from "./readout.ts";

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

const data = (more: Partial<DrawingData>, ...last: number[]): DrawingData => ({
  coverage: [],
  times: [0],
  lines: last.map((v, i) => ({ key: `${i}`, labels: {}, values: [v], alive: true, lastMs: 0, label: `${i}`, colour: i })),
  heat: null,
  unit: "perSecond",
  fromZero: true,
  subtitle: "",
  more: 0,
  series: last.length,
  newest: null,
  ...more,
});

describe("headline", () => {
  test("rates add up, gauges do not", () => {
    expect(headline(data({}, 1.5, 2), 0)).toEqual({ value: "3.5/s", of: "total" });
    expect(headline(data({ fromZero: false }, 1.5, 2), 0)).toBeNull();
    expect(headline(data({ fromZero: false, unit: "none" }, 7), 0)).toEqual({ value: "7", of: "" });
  });

  test("an age has its date", () => {
    const at = new Date(2026, 10, 22, 4, 14, 45).getTime();
    expect(headline(data({ fromZero: false, unit: "age", times: [at] }, 12), 0)).toEqual({ value: "12 s ago", of: "", date: "2026-11-22 04:14:33" });
  });

  test("no total when lines are left out", () => {
    expect(headline(data({ more: 3 }, 1, 2), 0)).toBeNull();
  });

  test("a histogram's p90", () => {
    expect(headline(data({ heat: { bounds: [], cells: [] }, unit: "seconds" }, 0.1, 0.2, 0.3), 0)).toEqual({ value: "200 ms", of: "p90" });
  });
});

describe("a series that has ended", () => {
  const endMs = new Date(2026, 10, 22, 4, 52, 53).getTime();
  const nowMs = endMs + 4 * 60_000;
  const grid = gridFrom(nowMs - 300_000, nowMs, 5_000);
  const ended = (more: Partial<DrawingData>, ...last: number[]): DrawingData => {
    const all = data(more, ...last);
    return { ...all, lines: all.lines.map((line) => ({ ...line, alive: false, lastMs: endMs })) };
  };
  const gauge = { fromZero: false, unit: "none" } as const;

  test("a gauge's last value has its age, several have only the end", () => {
    expect(headline(ended(gauge, 17), nowMs)).toEqual({ value: "17", of: "last, 4 min ago", ended: "ended 04:52" });
    expect(headline(ended(gauge, 17, 18), nowMs)).toEqual({ value: "", of: "ended 04:52", ended: "ended 04:52" });
  });

  test("rates, quantiles and ages have no value any more", () => {
    const none = { value: "", of: "ended 04:52", ended: "ended 04:52" };
    expect(headline(ended({}, 20), nowMs)).toEqual(none);
    expect(headline(ended({ heat: { bounds: [], cells: [] }, unit: "seconds" }, 0.1, 0.2, 0.3), nowMs)).toEqual(none);
    expect(headline(ended({ fromZero: false, unit: "age" }, 12), nowMs)).toEqual(none);
  });

  test("the legend has a rate at the cursor only, a gauge's last value always", () => {
    const rate = { data: ended({ times: [endMs] }, 20), grid };
    const line = rate.data.lines[0] as (typeof rate.data.lines)[number];
    expect([textAt(rate, line, null), textAt(rate, line, endMs)]).toEqual(["–", "20/s"]);
    const value = { data: ended(gauge, 17), grid };
    expect(textAt(value, value.data.lines[0] as typeof line, null)).toBe("17");
    expect(spoken(value, null)).toBe("ended 04:52: 0 17");
  });

  test("while one line lives, only the living count", () => {
    const mixed = data({}, 1.5, 2);
    const lines = mixed.lines.map((line, i) => ({ ...line, alive: i === 0, lastMs: endMs }));
    expect(headline({ ...mixed, lines }, nowMs)).toEqual({ value: "1.5/s", of: "" });
  });

  test("the end has its day when that is another", () => {
    expect(endedAt(endMs, endMs + 86_400_000)).toBe("ended Nov 22, 04:52");
  });
});

test("what cannot be drawn says why, with its value labelled", () => {
  const t = new Date(2026, 10, 22, 4, 52, 53).getTime();
  const grid = gridFrom(t - 290_000, t + 10_000, 5_000);
  const said = (more: Partial<DrawingData>, samples: number, at = t) =>
    notDrawn({ data: data(more), grid }, { t: at, v: 100, samples }, "last hour");
  const heat = { bounds: [], cells: [] };
  expect(said({}, 1)).toEqual({ title: "total 100", text: "one sample, at Nov 22, 04:52:53; a rate needs a second one" });
  expect(said({}, 2)).toEqual({ title: "total 100", text: "at Nov 22, 04:52:53; no rate known, last hour" });
  expect(said({ heat }, 1)).toEqual({ title: "total 100", text: "observations in one sample, at Nov 22, 04:52:53; quantiles need a second one" });
  expect(said({ heat }, 2)).toEqual({ title: "No observations", text: "last hour" });
  expect(said({}, 2, t - 600_000)).toEqual({ title: "No samples", text: "last hour; the last was at Nov 22, 04:42:53" });
  expect(said({ unit: "age" }, 1).title).toBe("Never");
});

test("the window is named by what it shows", () => {
  const range = rangeById("24h");
  const grid = gridFrom(0, 754_000, 5_000);
  expect(windowTitle({ young: true, range, grid })).toBe("last 13 min");
  expect(windowTitle({ young: true, range, grid: gridFrom(0, 5_400_000, 5_000) })).toBe("last 1.5 h");
  expect(windowTitle({ young: false, range, grid })).toBe("last 24 hours");
});
