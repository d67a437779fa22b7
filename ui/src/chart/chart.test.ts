import { describe, expect, test } from "vitest";
import { ladderFor, ladderTicks, position, valueAt } from "./ladder.ts";
import { tickSteps, yRange } from "./yscale.ts";

const INF = Number.POSITIVE_INFINITY;

describe("ladder", () => {
  const bounds = [0.01, 0.1, 1, 10, INF];

  test("keeps the rungs in use and one free on each side", () => {
    const ladder = ladderFor({ bounds, cells: [[0, 0, 3, 0, 0], null] });
    expect(ladder).toEqual({ edges: [0.01, 0.1, 1, 10], firstBucket: 1, openTop: false });
  });

  test("an observation beyond the last bound gets a rung that is only drawn", () => {
    const ladder = ladderFor({ bounds, cells: [[0, 0, 0, 1, 1]] });
    expect(ladder).toEqual({ edges: [0.1, 1, 10, 20], firstBucket: 2, openTop: true });
    expect(ladderTicks(ladder, 9)).toEqual([0.1, 1, 10]);
  });

  test("position and value are inverse inside and clamp outside", () => {
    const ladder = ladderFor({ bounds, cells: [[1, 1, 1, 1, 0]] });
    expect(ladder.edges).toEqual([0, 0.01, 0.1, 1, 10]);
    for (const value of [0, 0.005, 0.01, 0.07, 0.5, 9.9, 10]) {
      expect(valueAt(ladder, position(ladder, value))).toBeCloseTo(value, 12);
    }
    expect([position(ladder, -1), position(ladder, 99)]).toEqual([0, 4]);
    expect(position(ladder, 0.055)).toBeCloseTo(1.5, 12);
  });

  test("nothing observed still is a ladder", () => {
    expect(ladderFor({ bounds, cells: [] }).edges).toEqual([0, 0.01, 0.1, 1, 10]);
    expect(ladderFor({ bounds: [], cells: [] }).edges.length).toBeGreaterThan(0);
  });

  test("few ticks on a small chart", () => {
    const ladder = ladderFor({ bounds, cells: [[1, 1, 1, 1, 0]] });
    expect(ladderTicks(ladder, 3)).toEqual([0, 0.1, 10]);
  });
});

describe("yRange", () => {
  test("rates start at 0, flat lines are in the middle", () => {
    expect(yRange(50, 100, true)).toEqual([0, 108]);
    expect(yRange(25, 25, true)).toEqual([0, 27]);
    expect(yRange(0, 0, true)).toEqual([0, 1]);
    expect(yRange(7, 7, false)).toEqual([0, 14]);
    expect(yRange(-7, -7, false)).toEqual([-14, 0]);
    expect(yRange(null, null, true)).toEqual([0, 1]);
  });

  test("a gauge starts at 0 only when it moves a lot", () => {
    expect(yRange(10, 100, false)[0]).toBe(0);
    expect(yRange(96, 100, false)).toEqual([96 - 0.32, 100.32]);
    expect(yRange(-10, 10, false)).toEqual([-11.6, 11.6]);
  });
});

test("ticks of bytes are powers of two, of seconds what clocks use", () => {
  expect(tickSteps("bytes")).toContain(2 ** 20);
  expect(tickSteps("seconds")).toContain(0.005);
  expect(tickSteps("seconds")).toContain(30);
  expect(tickSteps("none")).toBeUndefined();
});
