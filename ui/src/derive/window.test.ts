import { describe, expect, test } from "vitest";
import { RANGES, rangeById } from "../state/ranges.ts";
import { gridEnd, gridFrom, gridStart } from "./grid.ts";
import type { Track } from "./track.ts";
import { asksForWindows, pointsFor, stepFor, windowFor } from "./window.ts";

const S = 1_000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const NOW = 1_795_306_500_000;
const hour = rangeById("1h");

const track = (...times: number[]): Track => ({ name: "x", labels: {}, key: "x", times, values: times.map(() => 0), stretches: [] });
const every = (ms: number, n = 10): Track => track(...Array.from({ length: n }, (_, i) => NOW + i * ms));

describe("windowFor", () => {
  test("W-1 old data, or of unknown age: the range as it is", () => {
    for (const oldest of [null, NOW - HOUR - 10 * S, NOW - 500 * HOUR]) {
      const window = windowFor(NOW + 1, hour, oldest);
      expect(window).toEqual({ startMs: NOW + 15 * S - HOUR, nowMs: NOW + 1, stepMs: 15 * S, young: false });
      const grid = gridFrom(window.startMs, window.nowMs, window.stepMs);
      expect([grid.times.length, gridStart(grid), gridEnd(grid)]).toEqual([240, window.startMs, NOW + 15 * S]);
    }
  });

  test("W-2 young data: from a little before the oldest sample to now", () => {
    const { startMs, stepMs, young } = windowFor(NOW, hour, NOW - 12 * MIN);
    expect([NOW - startMs, stepMs, young]).toEqual([12 * MIN + 5 * S, 5 * S, true]);
  });

  test("W-2 never shorter than five minutes", () => {
    for (const age of [0, 1, 70 * S, 4 * MIN]) {
      expect(NOW - windowFor(NOW, hour, NOW - age).startMs, `${age}`).toBe(5 * MIN);
    }
  });

  test("W-2 a sample of the future does not turn the window around", () => {
    expect(NOW - windowFor(NOW, hour, NOW + 3 * MIN).startMs).toBe(5 * MIN);
  });

  test.each(RANGES.map((range) => [range.id, range] as const))("W-3, W-4 as time goes by, %s", (_, range) => {
    const oldest = NOW + 1_234;
    let before = windowFor(oldest, range, oldest);
    let starts = 0;
    for (let now = oldest; now < oldest + range.rangeMs + HOUR; now += Math.max(7_321, range.rangeMs / 2_000)) {
      const window = windowFor(now, range, oldest);
      const grid = gridFrom(window.startMs, now, window.stepMs);
      expect(window.startMs).toBeGreaterThanOrEqual(before.startMs);
      expect(window.stepMs).toBeGreaterThanOrEqual(before.stepMs);
      expect(window.stepMs).toBeLessThanOrEqual(range.stepMs);
      expect(grid.times.length).toBeLessThanOrEqual(range.rangeMs / range.stepMs + 2);
      expect(gridEnd(grid)).toBeGreaterThanOrEqual(now);
      if (now - oldest > 5 * MIN && window.young && window.startMs !== before.startMs) starts += 1;
      before = window;
    }
    expect(starts).toBeLessThanOrEqual(1);
    expect(before).toMatchObject({ stepMs: range.stepMs, young: false });
  });

  test("W-4 five-second bins below a quarter of an hour, then wider ones", () => {
    const steps = [10, 15, 30, 50].map((m) => windowFor(NOW, hour, NOW - m * MIN).stepMs / S);
    expect(steps).toEqual([5, 5, 10, 15]);
    const day = rangeById("24h");
    expect([1, 3, 12, 20, 23].map((h) => windowFor(NOW, day, NOW - h * HOUR).stepMs / S)).toEqual([30, 60, 300, 300, 300]);
  });
});

describe("stepFor", () => {
  const young = windowFor(NOW, hour, NOW - 10 * MIN);

  test("W-5 bins are no finer than a push, which may be a bit late", () => {
    const steps = [1, 5, 5.02, 6, 10, 15, 60].map((s) => stepFor([every(s * S)], young, 15 * S) / S);
    expect(steps).toEqual([5, 5, 5, 5, 10, 15, 15]);
    expect(stepFor([every(15 * S)], windowFor(NOW, rangeById("6h"), NOW - 10 * MIN), 90 * S)).toBe(15 * S);
  });

  test("W-5 the usual series counts, and too few samples say nothing", () => {
    expect(stepFor([every(5 * S), every(5 * S), every(60 * S)], young, 15 * S)).toBe(5 * S);
    expect(stepFor([every(60 * S, 3)], young, 15 * S)).toBe(5 * S);
    expect(stepFor([], young, 15 * S)).toBe(5 * S);
  });

  test("W-1 the range's own bins stay, whatever is pushed", () => {
    expect(stepFor([every(60 * S)], windowFor(NOW, hour, null), 15 * S)).toBe(15 * S);
  });
});

describe("pointsFor", () => {
  const asked = (id: string, widthPx = 440): { points: number; distanceMs: number } => {
    const range = rangeById(id);
    const points = pointsFor(range.rangeMs, range.stepMs, widthPx);
    return { points, distanceMs: range.rangeMs / points };
  };

  test("W-6 short ranges by the screen, long ones by the windows they want", () => {
    expect(["1h", "6h", "24h"].map((id) => asked(id).points)).toEqual([880, 880, 880]);
    expect(["7d", "30d"].map((id) => Math.floor(asked(id).distanceMs / (5 * MIN)))).toEqual([1, 4]);
    expect(["90d", "1y"].map((id) => Math.floor(asked(id).distanceMs / HOUR))).toEqual([1, 4]);
  });

  test("W-6 a bin of a counter is wider than a bucket of four points", () => {
    for (const id of ["7d", "30d", "90d", "1y"]) expect(4 * asked(id, 100).distanceMs).toBeLessThan(rangeById(id).stepMs);
  });

  test("W-6 half a week of a month is asked for in windows of 5 minutes, a refresh in samples", () => {
    expect(pointsFor(84 * HOUR, 30 * MIN, 440)).toBe(1_008);
    expect(pointsFor(65 * S, 8 * HOUR, 440)).toBe(880);
    expect([10 * MIN, 30 * MIN, 24 * HOUR].map(asksForWindows)).toEqual([false, true, true]);
  });
});
