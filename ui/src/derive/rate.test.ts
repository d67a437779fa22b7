import { describe, expect, test } from "vitest";
import { gridFrom } from "./grid.ts";
import { increaseOnGrid, rateOnGrid } from "./rate.ts";
import { seriesKey, type Track } from "./track.ts";

const STEP = 10_000;
/** Bins end at 10 s, 20 s … `bins` × 10 s; now is the end of the last. */
const grid = (bins: number, nowMs = bins * STEP) => gridFrom(Math.ceil(nowMs / STEP) * STEP - bins * STEP, nowMs, STEP);

function track(...samples: [seconds: number, value: number][]): Track {
  return {
    name: "x_total",
    labels: {},
    key: seriesKey("x_total", {}),
    times: samples.map(([s]) => s * 1000),
    values: samples.map(([, v]) => v),
    stretches: [],
  };
}

describe("rate", () => {
  test("samples on the bins' edges give the difference by the time", () => {
    expect(rateOnGrid(track([0, 0], [10, 5], [20, 5], [30, 35]), grid(3))).toEqual([0.5, 0, 3]);
  });

  test("R-1 a restart counts from zero and is never negative", () => {
    expect(rateOnGrid(track([0, 100], [10, 120], [20, 30], [30, 40]), grid(3))).toEqual([2, 3, 1]);
  });

  test("R-2 an increase is spread evenly between two samples", () => {
    // 5 s … 25 s rises by 40, which is 2/s, over three bins.
    expect(rateOnGrid(track([5, 0], [25, 40], [35, 40]), grid(3))).toEqual([2, 2, 1]);
  });

  test("R-2 the bins' increases add up to the counter's", () => {
    const samples = track([0, 3], [7, 11], [13, 11.5], [29, 2], [41, 90], [50, 91]);
    const sum = increaseOnGrid(samples, grid(5)).reduce((total, bin) => total + (bin?.increase ?? 0), 0);
    expect(sum).toBeCloseTo(8 + 0.5 + 2 + 88 + 1, 9);
  });

  test("R-2 nothing is drawn through a gap", () => {
    // Pushed each 10 s, silent from 30 s to 90 s: more than three pushes.
    const samples = track([0, 0], [10, 10], [20, 20], [30, 30], [90, 90], [100, 100]);
    expect(rateOnGrid(samples, grid(10))).toEqual([1, 1, 1, null, null, null, null, null, null, 1]);
  });

  test("R-2 slow pushes are no gap", () => {
    expect(rateOnGrid(track([0, 0], [30, 30], [60, 90]), grid(6))).toEqual([1, 1, 1, 2, 2, 2]);
  });

  test("R-3 a job shorter than a bin is still seen", () => {
    // Four seconds inside the second bin, long ago: 20 over 10 s.
    expect(rateOnGrid(track([12, 0], [16, 20]), grid(9))).toEqual([null, 2, null, null, null, null, null, null, null]);
  });

  test("R-3 where a line begins and ends it is as high as it was", () => {
    const samples = track([8, 0], [18, 30], [28, 60], [33, 75], [130, 75], [140, 75]);
    expect(rateOnGrid(samples, grid(14)).slice(0, 5)).toEqual([3, 3, 3, 3, null]);
  });

  test("R-3 the running bin is null until half of it is known", () => {
    const samples = track([0, 0], [5, 5], [10, 10], [13, 13]);
    expect(rateOnGrid(samples, grid(2, 14_000))).toEqual([1, null]);
    const later = track([0, 0], [5, 5], [10, 10], [16, 16]);
    expect(rateOnGrid(later, grid(2, 17_000))).toEqual([1, 1]);
  });

  test("R-3 a bin that ended waits for a slow series' next push", () => {
    const samples = track([0, 0], [11, 11], [22, 22]);
    // The bin 20…30 is known for 2 s only; its line must not droop to 0.2.
    expect(rateOnGrid(samples, grid(3, 30_000))).toEqual([1, 1, null]);
  });

  test("R-4 two samples a millisecond apart are an increase over one bin, at once", () => {
    const samples = track([23.748, 0], [23.749, 100]);
    // 100 in a bin of 10 s, while it is running, when it waits for a push, and long after.
    expect(rateOnGrid(samples, grid(3, 24_000))).toEqual([null, null, 10]);
    expect(rateOnGrid(samples, grid(4, 31_000))).toEqual([null, null, 10, null]);
    expect(rateOnGrid(samples, grid(9))).toEqual([null, null, 10, null, null, null, null, null, null]);
    const fiveSeconds = gridFrom(15_000, 24_000, 5_000);
    expect(rateOnGrid(samples, fiveSeconds)).toEqual([null, 20]);
  });

  test("R-4 also across the edge of two bins, and a restart in between", () => {
    expect(rateOnGrid(track([9.999, 0], [10.001, 100]), grid(2, 11_000))).toEqual([5, 5]);
    expect(rateOnGrid(track([3, 50], [3.001, 20]), grid(1, 4_000))).toEqual([2]);
  });

  test("one sample has no rate, and none at all neither", () => {
    expect(rateOnGrid(track([5, 7]), grid(2))).toEqual([null, null]);
    expect(rateOnGrid(track(), grid(2))).toEqual([null, null]);
  });

  test("samples before the window only feed its first bin", () => {
    const window = gridFrom(10_000, 30_000, STEP);
    expect(window.times).toEqual([20_000, 30_000]);
    expect(rateOnGrid(track([0, 0], [10, 1000], [20, 1010], [30, 1040]), window)).toEqual([1, 3]);
  });
});
