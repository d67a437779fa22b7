import { expect, test } from "vitest";
import { draw } from "./drawing.ts";
import type { Drawing, Family } from "./family.ts";
import { gridFrom } from "./grid.ts";
import { toTrack, type Track } from "./track.ts";

const grid = gridFrom(0, 30_000, 10_000);

const family = (name: string, drawing: Drawing): Family => ({
  name,
  metric: drawing === "histogram" ? `${name}_bucket` : name,
  service: "shop",
  kind: "unknown",
  drawing,
  help: "",
  unit: "",
});

const series = (metric: string, labels: Record<string, string>, points: [seconds: number, v: number][]): Track =>
  toTrack({ metric, labels, points: points.map(([s, v]) => ({ t: s * 1000, v })), resolution: "raw", stretches: [] });

test("a counter becomes rates on the grid, named by what differs", () => {
  const data = draw(
    family("orders_total", "rate"),
    [
      series("orders_total", { kind: "web", service: "shop" }, [[0, 0], [10, 10], [20, 30], [30, 30]]),
      series("orders_total", { kind: "app", service: "shop" }, [[0, 5], [10, 5], [20, 6], [30, 8]]),
    ],
    grid,
  );
  expect(data.times).toEqual([10_000, 20_000, 30_000]);
  expect(data.lines.map((l) => [l.label, l.values])).toEqual([
    ["app", [0, 0.1, 0.2]],
    ["web", [1, 2, 0]],
  ]);
  expect([data.unit, data.fromZero, data.subtitle, data.more]).toEqual(["perSecond", true, "per second · by kind", 0]);
});

test("D-3 sums are named in the subtitle", () => {
  const tracks = Array.from({ length: 12 }, (_, i) =>
    series("x_total", { status: i % 2 ? "500" : "200", instance: `i${i}` }, [[0, 0], [10, 10], [20, 20], [30, 30]]),
  );
  const data = draw(family("x_total", "rate"), tracks, grid);
  expect(data.subtitle).toBe("per second · 12 series summed by status");
  expect(data.lines.map((l) => [l.label, l.values[0]])).toEqual([
    ["200", 6],
    ["500", 6],
  ]);
});

test("D-3 gauges are never summed; the rest is counted", () => {
  const tracks = Array.from({ length: 11 }, (_, i) => series("t", { room: `r${i}` }, [[10, i], [20, i], [30, i]]));
  const data = draw(family("t", "gauge"), tracks, grid);
  expect(data.more).toBe(3);
  expect(data.lines.map((l) => l.label)).toEqual(["r10", "r3", "r4", "r5", "r6", "r7", "r8", "r9"]);
});

test("a histogram becomes three quantiles over a heat of its buckets", () => {
  const data = draw(
    family("latency_seconds", "histogram"),
    [
      series("latency_seconds_bucket", { le: "0.1" }, [[0, 0], [10, 10], [20, 10], [30, 10]]),
      series("latency_seconds_bucket", { le: "+Inf" }, [[0, 0], [10, 10], [20, 10], [30, 14]]),
    ],
    grid,
  );
  expect(data.lines.map((l) => [l.label, l.values])).toEqual([
    ["p50", [0.05, null, 0.1]],
    ["p90", [0.1 * 0.9, null, 0.1]],
    ["p99", [0.1 * 0.99, null, 0.1]],
  ]);
  expect(data.heat).toEqual({ bounds: [0.1, Number.POSITIVE_INFINITY], cells: [[10, 0], [0, 0], [0, 4]] });
  expect(data.unit).toBe("seconds");
});

test("a single sample draws nothing but is known", () => {
  const data = draw(family("hello_total", "rate"), [series("hello_total", {}, [[12, 1]])], grid);
  expect(data.lines[0]?.values).toEqual([null, null, null]);
  expect(data.newest).toEqual({ t: 12_000, v: 1, samples: 1 });
});

test("what is known of a histogram's single push is its observations", () => {
  const data = draw(
    family("latency_seconds", "histogram"),
    [
      series("latency_seconds_bucket", { le: "0.1", path: "/a" }, [[12, 60]]),
      series("latency_seconds_bucket", { le: "+Inf", path: "/a" }, [[12, 100]]),
      series("latency_seconds_bucket", { le: "+Inf", path: "/b" }, [[11, 7]]),
    ],
    grid,
  );
  expect(data.newest).toEqual({ t: 12_000, v: 107, samples: 1 });
});

test("a series has ended after three of its intervals, and never within a minute", () => {
  const alive = (nowSeconds: number, ...at: number[]): boolean | undefined => {
    const points = at.map((s): [number, number] => [s, 1]);
    return draw(family("t", "gauge"), [series("t", {}, points)], gridFrom(0, nowSeconds * 1000, 10_000)).lines[0]?.alive;
  };
  expect([alive(70, 10), alive(71, 10)]).toEqual([true, false]);
  expect([alive(70, 5, 10), alive(71, 5, 10)]).toEqual([true, false]);
  expect([alive(160, 10, 40, 70), alive(161, 10, 40, 70)]).toEqual([true, false]);
});

test("quantiles end with their histogram", () => {
  const tracks = [series("x_bucket", { le: "+Inf" }, [[0, 0], [10, 10]]), series("x_bucket", { le: "1" }, [[0, 0], [10, 10]])];
  const ends = (nowMs: number) => draw(family("x", "histogram"), tracks, gridFrom(0, nowMs, 10_000)).lines.map((l) => [l.alive, l.lastMs]);
  expect(ends(60_000)).toEqual([[true, 10_000], [true, 10_000], [true, 10_000]]);
  expect(ends(80_000)).toEqual([[false, 10_000], [false, 10_000], [false, 10_000]]);
});
