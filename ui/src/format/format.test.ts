import { describe, expect, test } from "vitest";
import { assignColours, hash, PALETTE_SIZE } from "./colour.ts";
import { fullLabels, lineLabels } from "./label.ts";
import { axisFormat, formatCount, formatShare, formatValue } from "./number.ts";
import { clock, timeTicks } from "./time.ts";
import { rateUnit, unitOf } from "./unit.ts";

describe("formatValue", () => {
  test.each([
    [0, "seconds", "0 s"],
    [0.0000005, "seconds", "500 ns"],
    [0.0015, "seconds", "1.5 ms"],
    [0.25, "seconds", "250 ms"],
    [1, "seconds", "1 s"],
    [90, "seconds", "1.5 min"],
    [7200, "seconds", "2 h"],
    [0, "bytes", "0 B"],
    [1536, "bytes", "1.5 KiB"],
    [12.3 * 2 ** 20, "bytes", "12.3 MiB"],
    [2 ** 31, "bytesPerSecond", "2 GiB/s"],
    [0.9731, "ratio", "97.3 %"],
    [55.5, "percent", "55.5 %"],
    [0, "perSecond", "0/s"],
    [3.28, "perSecond", "3.28/s"],
    [4200, "perSecond", "4,200/s"],
    [42_000, "perSecond", "42 k/s"],
    [0.004, "perSecond", "0.004/s"],
    [999.7, "none", "999.7"],
    [9981, "none", "9,981"],
    [9999.97, "none", "10k"],
    [12_345, "none", "12.35k"],
    [123_456, "none", "123k"],
    [999_700, "none", "1M"],
    [-1500, "none", "-1,500"],
    [21.53, "none", "21.53"],
    [1023.9, "bytes", "1 KiB"],
    [1e15, "none", "1,000T"],
    [0.00001, "none", "1e-5"],
    [123.456, "none", "123.5"],
    [12.9, "age", "12 s ago"],
    [0.25, "age", "0 s ago"],
    [754, "age", "13 min ago"],
    [5400, "age", "1.5 h ago"],
    [-86400, "age", "in 1 d"],
  ] as const)("%d %s is %s", (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });
});

test("an axis has one scale for all its ticks", () => {
  expect(axisFormat([0, 0.5, 1, 1.5], "seconds")).toEqual(["0", "0.5 s", "1 s", "1.5 s"]);
  expect(axisFormat([0, 512 * 2 ** 10, 2 ** 20], "bytes")).toEqual(["0", "0.5 MiB", "1 MiB"]);
  expect(axisFormat([0, 1800, 3600, 5400], "seconds")).toEqual(["0", "30 min", "60 min", "90 min"]);
  expect(axisFormat([0, 3600, 7200], "seconds")).toEqual(["0", "1 h", "2 h"]);
  expect(axisFormat([0, 30, 60], "age")).toEqual(["0", "30 s", "60 s"]);
  expect(axisFormat([0, 0.5, 1], "ratio")).toEqual(["0 %", "50 %", "100 %"]);
});

test("an axis tells neighbouring ticks apart", () => {
  expect(axisFormat([9980, 9981, 9982], "none")).toEqual(["9,980", "9,981", "9,982"]);
  expect(axisFormat([9980, 9980.5, 9981], "none")).toEqual(["9,980", "9,980.5", "9,981"]);
  expect(axisFormat([9980, 9982.5, 9985], "perSecond")).toEqual(["9,980/s", "9,982.5/s", "9,985/s"]);
  expect(axisFormat([9990, 10_000, 10_010], "none")).toEqual(["9.99k", "10k", "10.01k"]);
  expect(axisFormat([0.97305, 0.9731, 0.97315], "ratio")).toEqual(["97.305 %", "97.31 %", "97.315 %"]);
  expect(axisFormat([1e9, 1e9 + 1], "none")).toEqual(["1G", "1.000000001G"]);
  expect(axisFormat([0.1 + 0.2], "none")).toEqual(["0.3"]);
});

test("formatCount separates thousands", () => {
  expect(formatCount(1234567)).toBe("1,234,567");
  expect([0, 0.38, 3, 9.96, 1234.5].map(formatShare)).toEqual(["0", "0.4", "3", "10", "1,235"]);
});

test("units come from what is declared, else from the name", () => {
  expect(unitOf("x", "seconds")).toBe("seconds");
  expect(unitOf("x_bytes", "seconds")).toBe("seconds");
  expect(unitOf("process_resident_memory_bytes", "")).toBe("bytes");
  expect(unitOf("sent_bytes_total", "")).toBe("bytes");
  expect(unitOf("cache_hit_ratio", "")).toBe("ratio");
  expect(unitOf("process_start_time_seconds", "s")).toBe("age");
  expect(unitOf("orders_total", "")).toBe("none");
  expect([rateUnit("bytes"), rateUnit("seconds"), rateUnit("none")]).toEqual(["bytesPerSecond", "ratio", "perSecond"]);
});

test("labels: only what differs, never two alike", () => {
  expect(lineLabels([{ s: "a", e: "/x" }, { s: "a", e: "/y" }], "value")).toEqual(["/x", "/y"]);
  expect(lineLabels([{ s: "a" }], "value")).toEqual(["value"]);
  expect(lineLabels([{ a: "1" }, {}], "value")).toEqual(["1", "no a"]);
  const tricky = lineLabels([{ a: "1 · 2", b: "3" }, { a: "1", b: "2 · 3" }], "value");
  expect(new Set(tricky).size).toBe(2);
  expect(fullLabels({ b: 'q"', a: "1" })).toBe('{a="1", b="q\\""}');
});

test("colours are stable and differ while the palette lasts", () => {
  const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
  expect(new Set(assignColours(keys)).size).toBe(PALETTE_SIZE);
  expect(assignColours(["a"])[0]).toBe(hash("a") % PALETTE_SIZE);
  expect(assignColours(keys)).toEqual(assignColours(keys));
  // FNV-1a's published value for "a": the hash itself must never change, or colours would.
  expect(hash("a")).toBe(0xe40c292c);
});

test("time ticks show the day where it begins", () => {
  const midnight = new Date(2026, 10, 22).getTime();
  expect(timeTicks([midnight - 3_600_000, midnight, midnight + 3_600_000], 3_600_000)).toEqual(["23:00", "Nov 22", "01:00"]);
  expect(clock(midnight + 61_000)).toBe("00:01:01");
});
