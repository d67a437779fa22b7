import { expect, test } from "vitest";
import { agesOf, gaugeColumns } from "./gauge.ts";
import { gridFrom } from "./grid.ts";
import { seriesKey, type Track } from "./track.ts";

const grid = gridFrom(0, 100_000, 10_000);

function track(name: string, samples: [seconds: number, value: number][]): Track {
  return {
    name,
    labels: {},
    key: seriesKey(name, {}),
    times: samples.map(([s]) => s * 1000),
    values: samples.map(([, v]) => v),
    stretches: [],
  };
}

test("G-1 every sample keeps its time and value", () => {
  const { times, columns } = gaugeColumns([track("a", [[1, 5], [11, 6.25], [21, -3]])], grid);
  expect(times).toEqual([1000, 11_000, 21_000]);
  expect(columns).toEqual([[5, 6.25, -3]]);
});

test("G-1 samples outside the window are left out", () => {
  expect(gaugeColumns([track("a", [[0, 1], [10, 2], [100, 3], [101, 4]])], grid).times).toEqual([10_000, 11_000 - 999, 100_000]);
});

test("G-2 series share one axis; missing is undefined, not null", () => {
  const { times, columns } = gaugeColumns([track("a", [[10, 1], [20, 2]]), track("b", [[15, 7]])], grid);
  expect(times).toEqual([10_000, 15_000, 20_000]);
  expect(columns).toEqual([
    [1, undefined, 2],
    [undefined, 7, undefined],
  ]);
});

test("G-2 a long silence is a null just after the last sample before it", () => {
  const { times, columns } = gaugeColumns([track("a", [[10, 1], [20, 2], [30, 3], [80, 4]])], grid);
  expect(times).toEqual([10_000, 20_000, 30_000, 30_001, 80_000]);
  expect(columns).toEqual([[1, 2, 3, null, 4]]);
});

test("G-3 a moment becomes its age, one to come is negative, 0 is never", () => {
  const base = 1_795_306_500;
  const moments = track("x", [[base, 0], [base + 5, base + 2.5], [base + 10, base + 2.5], [base + 15, base + 100]]);
  expect(agesOf(moments).times).toEqual([5, 10, 15].map((s) => (base + s) * 1000));
  expect(agesOf(moments).values).toEqual([2.5, 7.5, -85]);
});
