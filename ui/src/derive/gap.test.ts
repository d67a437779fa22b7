import { describe, expect, test } from "vitest";
import type { Resolution, Stretch } from "../api/types.ts";
import { gapsOf, isAlive } from "./gap.ts";
import { gaugeColumns } from "./gauge.ts";
import { gridFrom } from "./grid.ts";
import { increaseOnGrid, rateOnGrid } from "./rate.ts";
import type { Track } from "./track.ts";

const S = 1_000;
const MIN = 60 * S;
const HOUR = 60 * MIN;

const stretch = (resolution: Resolution, start: number, end: number): Stretch => ({ resolution, start, end });

function track(samples: readonly (readonly [ms: number, value: number])[], ...stretches: Stretch[]): Track {
  return { name: "x", labels: {}, key: "x", times: samples.map(([t]) => t), values: samples.map(([, v]) => v), stretches };
}

const breaks = (t: Track, stepMs: number): number[] =>
  t.times.flatMap((_, i) => (i > 0 && gapsOf(t, stepMs).before(i) ? [i] : []));

/** Windows of an hour of a counter that grows by 1/s and is pushed every 5 s: the first and the last sample. */
const hourly = (hours: readonly number[]): [number, number][] =>
  hours.flatMap((h) => [0, 3_595].map((s): [number, number] => [h * HOUR + s * S, h * 3_600 + s]));

describe("gaps", () => {
  test("B-1 samples: three pushes, and never less than two bins", () => {
    const samples = track([0, 10, 20, 30, 61, 70].map((s) => [s * S, 0]));
    expect(breaks(samples, 10 * S)).toEqual([4]);
    expect(breaks(samples, 20 * S)).toEqual([]);
  });

  test("B-2 the ends of a window are an hour apart and joined, in bins of five minutes too", () => {
    const windows = track(hourly([0, 1, 2]), stretch("1h", 0, 3 * HOUR - 1));
    expect(breaks(windows, 5 * MIN)).toEqual([]);
  });

  test("B-2 a missing window is a gap", () => {
    const windows = track(hourly([0, 1, 3, 4]), stretch("1h", 0, 5 * HOUR - 1));
    expect(breaks(windows, 5 * MIN)).toEqual([4]);
    // In bins of 30 minutes the hour of silence is still longer than two bins; in those of 3 h it is not.
    expect(breaks(windows, 30 * MIN)).toEqual([4]);
    expect(breaks(windows, 3 * HOUR)).toEqual([]);
  });

  test("B-2 silence over the border of two windows is the series' own, none missing", () => {
    const silent: [number, number][] = [[3 * HOUR, 0], [3 * HOUR + 10 * MIN, 1], [4 * HOUR + 50 * MIN, 2], [5 * HOUR - S, 3]];
    const windows = track([...hourly([0, 1, 2]), ...silent], stretch("1h", 0, 5 * HOUR - 1));
    expect(breaks(windows, 5 * MIN)).toEqual([8]);
  });

  test("B-5 in bins of six windows and more, a missing bin's worth is a gap", () => {
    const windows = track([...hourly([0, 1, 2]), ...hourly([10, 11, 12])], stretch("1h", 0, 13 * HOUR - 1));
    expect(breaks(windows, 6 * HOUR)).toEqual([6]);
    // Two bins of less than six windows are longer than the seven hours of silence.
    expect(breaks(windows, 5 * HOUR)).toEqual([]);
  });

  test("B-5 the inside of a thinned bucket is none, the newest samples tell the pushes", () => {
    const buckets = [0, 4, 8, 12, 24, 28].flatMap((h): [number, number][] => [[h * HOUR, h], [h * HOUR + 3 * HOUR, h]]);
    const samples = [0, 1, 2, 3].map((i): [number, number] => [32 * HOUR + i * 5 * S, 9]);
    const live = track([...buckets, ...samples], stretch("1h", 0, 32 * HOUR - 1), stretch("raw", 32 * HOUR, 33 * HOUR));
    expect(breaks(live, 6 * HOUR)).toEqual([8]);
  });

  test("B-3 one push in two windows is no gap", () => {
    const every2h = track([0, 2, 4, 6, 8].map((h) => [h * HOUR, h]), stretch("1h", 0, 9 * HOUR));
    expect(breaks(every2h, 5 * MIN)).toEqual([]);
  });

  test("B-3 the samples after the windows keep their own measure", () => {
    const raw = Array.from({ length: 60 }, (_, i): [number, number] => [3 * HOUR + i * 5 * S, 10_800 + 5 * i]);
    const mixed = track([...hourly([0, 1, 2]), ...raw, [3 * HOUR + 20 * MIN, 12_000]], stretch("1h", 0, 3 * HOUR - 1), stretch("raw", 3 * HOUR, 4 * HOUR));
    expect(breaks(mixed, 5 * MIN)).toEqual([66]);
  });
});

describe("windows as lines", () => {
  const windows = track(hourly([0, 1, 3]), stretch("1h", 0, 4 * HOUR - 1));

  test("a counter's rate comes from the two ends of each window", () => {
    const grid = gridFrom(0, 4 * HOUR, 30 * MIN);
    expect(rateOnGrid(windows, grid)).toEqual([1, 1, 1, 1, null, null, 1, 1]);
    const sum = increaseOnGrid(windows, grid).reduce((total, bin) => total + (bin?.increase ?? 0), 0);
    expect(sum).toBeCloseTo(2 * 3_600 - 5 + 3_595, 9);
  });

  test("a restart inside a window is what its points say", () => {
    // First 100, the peak 400 before the restart, last 50: 300 + 50 in the hour.
    const restarted = track([[0, 100], [30 * MIN, 400], [HOUR - S, 50]], stretch("1h", 0, HOUR - 1));
    const [bin] = increaseOnGrid(restarted, gridFrom(0, HOUR, HOUR));
    expect(bin?.increase).toBeCloseTo(350, 9);
  });

  test("a gauge breaks where a window is missing, and only there", () => {
    const { times, columns } = gaugeColumns([windows], gridFrom(-HOUR, 4 * HOUR, 5 * MIN));
    expect(columns[0]?.map((v, i) => (v === null ? times[i] : -1)).filter((t) => t !== -1)).toEqual([2 * HOUR - 5 * S + 1]);
  });
});

test("B-4 thinned windows do not keep a series alive for days", () => {
  const bucketsMs = 17 * HOUR;
  const thinned = track([0, 1, 2, 3, 4].flatMap((b): [number, number][] => [[b * bucketsMs, b], [b * bucketsMs + 16 * HOUR, b]]), stretch("1h", 0, 100 * HOUR));
  const lastMs = thinned.times.at(-1) as number;
  expect([isAlive(thinned, lastMs + 2 * HOUR), isAlive(thinned, lastMs + 2 * HOUR + 1)]).toEqual([true, false]);
  const samples = [1, 2, 3, 4, 5].map((i): [number, number] => [lastMs + i * 40 * S, 9]);
  const live = track([...thinned.times.map((t): [number, number] => [t, 1]), ...samples], stretch("1h", 0, lastMs), stretch("raw", lastMs + 1, lastMs + HOUR));
  const end = lastMs + 200 * S;
  expect([isAlive(live, end + 120 * S), isAlive(live, end + 120 * S + 1)]).toEqual([true, false]);
});

test("a series with windows has ended when its own pushes stop, not a window later", () => {
  const windows = track(hourly([0, 1, 2]), stretch("1h", 0, 3 * HOUR - 1));
  const lastMs = 3 * HOUR - 5 * S;
  expect([isAlive(windows, lastMs + MIN), isAlive(windows, lastMs + MIN + 1)]).toEqual([true, false]);
});
