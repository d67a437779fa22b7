import { describe, expect, test } from "vitest";
import { gridFrom } from "./grid.ts";
import { bucketQuantile, heatCells, histogramOnGrid, parseBound, quantileLine } from "./quantile.ts";
import { seriesKey, type Track } from "./track.ts";

const INF = Number.POSITIVE_INFINITY;

function bucket(le: string, endpoint: string, ...samples: [seconds: number, value: number][]): Track {
  const labels = { le, endpoint };
  return {
    name: "x_bucket",
    labels,
    key: seriesKey("x_bucket", labels),
    times: samples.map(([s]) => s * 1000),
    values: samples.map(([, v]) => v),
    stretches: [],
  };
}

describe("Q-1 bucketQuantile is Prometheus' histogram_quantile", () => {
  const bounds = [0.1, 0.2, 0.4, INF];

  test("linear inside the bucket", () => {
    // Ten each: the median ends the second bucket, p90 is 3/5 into the third … by hand:
    expect(bucketQuantile(0.5, bounds, [10, 20, 40, 40])).toBeCloseTo(0.2, 12);
    expect(bucketQuantile(0.9, bounds, [10, 20, 40, 40])).toBeCloseTo(0.2 + 0.2 * (16 / 20), 12);
    expect(bucketQuantile(0.1, bounds, [10, 20, 40, 40])).toBeCloseTo(0.1 * (4 / 10), 12);
  });

  test("the highest finite bound stands for +Inf", () => {
    expect(bucketQuantile(0.99, bounds, [10, 20, 40, 100])).toBe(0.4);
  });

  test("nothing counted has no quantile", () => {
    expect(bucketQuantile(0.5, bounds, [0, 0, 0, 0])).toBeNull();
    expect(bucketQuantile(0.5, [], [])).toBeNull();
  });

  test("only +Inf says nothing about the value", () => {
    expect(bucketQuantile(0.5, [INF], [7])).toBeNull();
  });

  test("a first bound that is not positive is its own answer", () => {
    expect(bucketQuantile(0.1, [-1, 1, INF], [10, 20, 20])).toBe(-1);
  });

  test("0 and 1 are the edges of what was counted", () => {
    expect(bucketQuantile(0, bounds, [10, 20, 40, 40])).toBe(0);
    expect(bucketQuantile(1, bounds, [10, 20, 40, 40])).toBeCloseTo(0.4, 12);
  });
});

describe("histogramOnGrid", () => {
  const grid = gridFrom(0, 20_000, 10_000);

  test("adds up series by le and takes what each bin added", () => {
    const bins = histogramOnGrid(
      [
        bucket("0.1", "/a", [0, 100], [10, 101], [20, 105]),
        bucket("+Inf", "/a", [0, 200], [10, 204], [20, 208]),
        bucket("0.1", "/b", [0, 0], [10, 2], [20, 2]),
        bucket("+Inf", "/b", [0, 0], [10, 2], [20, 3]),
      ],
      grid,
    );
    expect(bins.bounds).toEqual([0.1, INF]);
    expect(bins.cumulative).toEqual([
      [3, 6],
      [4, 5],
    ]);
    expect(heatCells(bins)).toEqual([
      [3, 3],
      [4, 1],
    ]);
    expect(quantileLine(0.5, bins)).toEqual([0.1, 0.1 * (2.5 / 4)]);
  });

  test("bounds sort as numbers, whatever wrote them", () => {
    const bins = histogramOnGrid(
      ["10", "2.5", "+Inf", "1e-05"].map((le) => bucket(le, "/a", [0, 0], [10, 1], [20, 1])),
      grid,
    );
    expect(bins.bounds).toEqual([0.00001, 2.5, 10, INF]);
  });

  test("Q-2 counts that fall over le are raised", () => {
    const bins = histogramOnGrid(
      [bucket("1", "/a", [0, 0], [10, 5], [20, 5]), bucket("2", "/a", [0, 0], [10, 4], [20, 6])],
      grid,
    );
    expect(bins.cumulative).toEqual([
      [5, 5],
      [0, 2],
    ]);
  });

  test("Q-3 unknown is null, known without observations is zero", () => {
    const long = gridFrom(0, 100_000, 10_000);
    const bins = histogramOnGrid([bucket("1", "/a", [0, 3], [10, 3]), bucket("+Inf", "/a", [0, 3], [10, 3])], long);
    expect(bins.cumulative[0]).toEqual([0, 0]);
    expect(bins.cumulative[1]).toBeNull();
    expect(quantileLine(0.5, bins).slice(0, 2)).toEqual([null, null]);
  });
});

test("a program of a millisecond has quantiles and heat at once", () => {
  const grid = gridFrom(0, 14_000, 10_000);
  const bins = histogramOnGrid(
    [bucket("0.1", "/a", [12, 0], [12.001, 50]), bucket("0.2", "/a", [12, 0], [12.001, 100]), bucket("+Inf", "/a", [12, 0], [12.001, 100])],
    grid,
  );
  expect(bins.cumulative).toEqual([null, [50, 100, 100]]);
  expect(heatCells(bins)).toEqual([null, [50, 50, 0]]);
  expect(quantileLine(0.9, bins)[1]).toBeCloseTo(0.18, 12);
});

test("parseBound reads what Prometheus and Rust write", () => {
  expect(["0.5", "1e-05", "+Inf", "inf", "Inf", "5"].map(parseBound)).toEqual([0.5, 0.00001, INF, INF, INF, 5]);
  expect([undefined, "", "fast", "NaN"].map(parseBound)).toEqual([null, null, null, null]);
});
