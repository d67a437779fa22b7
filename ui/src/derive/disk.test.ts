import { expect, test } from "vitest";
import type { Kept, Storage } from "../api/types.ts";
import { diskParts, oldestOf, wholeBytes } from "./disk.ts";

const kept = (resolution: Kept["resolution"], more: Partial<Kept> = {}): Kept => ({
  resolution,
  tables: 1,
  bytes: 100,
  rows: 10,
  oldest: null,
  newest: null,
  dropped_until: null,
  retention_seconds: 0,
  retention: "for ever",
  ...more,
});

const storage = (resolutions: Kept[], more: Partial<Storage> = {}): Storage => ({
  used_bytes: 1_000,
  max_bytes: 4_000,
  percent: 25,
  level: "normal",
  wal_bytes: 50,
  reserve_bytes: 400,
  resolutions,
  engine: "disk",
  data_dir: "/data",
  ...more,
});

test("the parts add up to what is used", () => {
  const parts = diskParts(storage([kept("raw"), kept("5m"), kept("1h", { bytes: 0 })]));
  expect(parts.map(({ name, bytes }) => [name, bytes])).toEqual([
    ["raw", 100],
    ["5m", 100],
    ["1h", 0],
    ["catalogue", 350],
    ["log", 50],
    ["reserve", 400],
  ]);
});

test("nothing to say about a log and a reserve that are not there", () => {
  const parts = diskParts(storage([kept("raw")], { used_bytes: 100, wal_bytes: 0, reserve_bytes: 0 }));
  expect(parts.map(({ name }) => name)).toEqual(["raw"]);
});

test("the bar is of the budget, or of what is used without one", () => {
  expect([{}, { max_bytes: 0 }, { max_bytes: 0, used_bytes: 0 }].map((more) => wholeBytes(storage([], more)))).toEqual([4_000, 1_000, 1]);
});

test("the oldest data are samples, and windows only where samples have been dropped", () => {
  const at = (day: number) => `2026-11-${String(day).padStart(2, "0")}T00:00:00.000Z`;
  const of = (oldest: string | null, ...spaces: Kept[]) => oldestOf(oldest, storage(spaces));
  expect(of(null)).toBeNull();
  expect(oldestOf(at(8), null)).toBe(Date.parse(at(8)));
  // A window begins before its first sample.
  expect(of(at(8), kept("raw", { oldest: at(8) }), kept("5m", { oldest: at(7) }))).toBe(Date.parse(at(8)));
  const dropped = kept("raw", { oldest: at(8), dropped_until: at(8) });
  expect(of(at(8), dropped, kept("5m", { oldest: at(3) }), kept("1h", { oldest: at(2) }))).toBe(Date.parse(at(3)));
  expect(of(at(8), dropped, kept("5m", { oldest: at(3), dropped_until: at(3) }), kept("1h", { oldest: at(2) }))).toBe(Date.parse(at(2)));
  expect(of(null, dropped, kept("5m", { oldest: at(3) }))).toBe(Date.parse(at(3)));
});
