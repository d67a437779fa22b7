import { expect, test } from "vitest";
import { firstAtOrAfter, mergeTracks, seriesKey, toTrack } from "./track.ts";

const series = (metric: string, labels: Record<string, string>, points: [number, number][]) =>
  toTrack({ metric, labels, points: points.map(([t, v]) => ({ t, v })), resolution: "raw", stretches: [] });

test("the key does not depend on the labels' order but on every character", () => {
  expect(seriesKey("m", { a: "1", b: "2" })).toBe(seriesKey("m", { b: "2", a: "1" }));
  expect(seriesKey("m", { a: '1","b":"2' })).not.toBe(seriesKey("m", { a: "1", b: "2" }));
  expect(series("m", { __name__: "m", a: "1" }, []).labels).toEqual({ a: "1" });
});

test("a refresh replaces what it covers and keeps what it does not", () => {
  const old = [series("m", {}, [[10, 1], [20, 2], [30, 3]])];
  const fresh = [series("m", {}, [[25, 2.5], [30, 3.5], [40, 4]])];
  const [merged] = mergeTracks(old, fresh, 25, 0);
  expect(merged?.times).toEqual([10, 20, 25, 30, 40]);
  expect(merged?.values).toEqual([1, 2, 2.5, 3.5, 4]);
});

test("one sample before the window stays, series that ended before it go", () => {
  const old = [series("m", { a: "1" }, [[10, 1], [20, 2], [30, 3]]), series("m", { a: "2" }, [[10, 9]])];
  const merged = mergeTracks(old, [], 35, 25);
  expect(merged.map((track) => [track.labels, track.times])).toEqual([[{ a: "1" }, [20, 30]]]);
});

test("a new series joins", () => {
  const merged = mergeTracks([series("m", { a: "1" }, [[10, 1]])], [series("m", { a: "2" }, [[20, 2]])], 15, 0);
  expect(merged.map((track) => track.labels)).toEqual([{ a: "1" }, { a: "2" }]);
});

test("firstAtOrAfter", () => {
  expect([5, 10, 11, 30, 31].map((t) => firstAtOrAfter([10, 20, 30], t))).toEqual([0, 0, 1, 2, 3]);
  expect(firstAtOrAfter([], 1)).toBe(0);
});
