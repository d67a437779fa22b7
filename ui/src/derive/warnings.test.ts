import { expect, test } from "vitest";
import type { Cardinality, Health, Level, Refusal, Storage } from "../api/types.ts";
import { refusalLimit, refusalText, warningsOf } from "./warnings.ts";

const NOW = Date.parse("2026-11-22T08:00:00Z");

const storage = (level: Level, used_bytes = 900): Storage => ({
  used_bytes,
  max_bytes: 2 ** 30,
  percent: 0,
  level,
  wal_bytes: 0,
  reserve_bytes: 0,
  resolutions: [],
  engine: "disk",
  data_dir: "",
});

const health = (store: Partial<Health["store"]> = {}, compaction: Partial<Health["compaction"]> = {}): Health => ({
  status: "healthy",
  store: { healthy: true, damage: [], ...store },
  compaction: { healthy: true, consecutive_errors: 0, lag_seconds: 0, ...compaction },
});

const refusal: Refusal = { at: "2026-11-22T07:00:01Z", metric: "logins_total", label: "user_id", values: 5_000, rule: "series_limit" };

const cardinality = (last_refusal: Refusal | null, values = 0): Cardinality => ({
  total_series: 10_000,
  unique_metrics: 3,
  series_limit: 10_000,
  per_metric_limit: 500,
  top_metrics: [],
  top_labels: [{ label: "user_id", values, series: values }],
  growth: { since: "2026-11-22T07:00:00Z", series_added: 0, metrics: [], labels: [] },
  refused_total: 1,
  last_refusal,
  expired_total: 0,
});

const texts = (...args: Parameters<typeof warningsOf>): string[] => warningsOf(...args).map(({ text }) => text);

test("nothing to say", () => {
  expect(warningsOf(null, null, null, NOW)).toEqual([]);
  expect(warningsOf(storage("normal"), health(), cardinality(null), NOW)).toEqual([]);
});

test("A-1 the budget's warning is the same at 81 % and at 89 %", () => {
  const [before, after] = [0.81, 0.89].map((share) => texts(storage("warning_80", share * 2 ** 30), null, null, NOW));
  expect(before).toEqual(["More than 80 % of the disk budget of 1 GiB is used."]);
  expect(after).toEqual(before);
});

test("A-2 worse is another warning", () => {
  const ids = (["warning_80", "warning_90", "full"] as const).map((level) => warningsOf(storage(level), null, null, NOW)[0]);
  expect(ids.map((w) => [w?.id, w?.severe])).toEqual([
    ["budget:warning_80", false],
    ["budget:warning_90", false],
    ["budget:full", true],
  ]);
  const damaged = (n: number) => warningsOf(null, health({ damage: Array(n).fill("x") }), null, NOW)[0];
  expect([damaged(1)?.id, damaged(2)?.id]).toEqual(["damage:1", "damage:2"]);
  expect(damaged(2)?.text).toBe("2 damaged parts of the store were set aside at the start; the rest is served.");
});

test("a refusal is news for an hour", () => {
  const at = (nowMs: number) => texts(null, null, cardinality(refusal), nowMs);
  expect(at(NOW)).toEqual(["Metric logins_total was refused: its label user_id has 5,000 values."]);
  expect(at(NOW + 1_000)).toEqual([]);
});

test("a refusal names metric, label and limit; values that came with the same request count too", () => {
  expect(refusalText({ ...refusal, values: 0 }, cardinality(null, 29))).toBe("metric logins_total was refused: its label user_id has 29 values");
  expect(refusalText({ ...refusal, values: 1 }, cardinality(null))).toBe("metric logins_total was refused: its label user_id has 1 value");
  expect(refusalText({ ...refusal, label: "", values: 0 }, cardinality(null))).toBe("metric logins_total was refused: it has no labels, there are too many metrics");
  expect(refusalLimit(refusal, cardinality(null))).toBe("the server may have 10,000 series");
  expect(refusalLimit({ ...refusal, rule: "metric_series_limit" }, cardinality(null))).toBe("a metric may have 500 series");
});

test("the worst comes first", () => {
  const all = texts(
    storage("warning_90"),
    health({ healthy: false, last_error: "disk gone" }, { healthy: false, last_error: "no space" }),
    cardinality(refusal),
    NOW,
  );
  expect(all).toEqual([
    "The store takes no more writes: disk gone.",
    "Maintenance does not succeed: no space. Old data stays, and is not summarised.",
    "More than 90 % of the disk budget of 1 GiB is used.",
    "Metric logins_total was refused: its label user_id has 5,000 values.",
  ]);
});
