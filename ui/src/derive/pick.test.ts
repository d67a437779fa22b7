import { expect, test } from "vitest";
import type { Labels } from "../api/types.ts";
import { differingLabels, largest, largestOrSummed, sumBy, type Line } from "./pick.ts";

const line = (labels: Labels, last: number, alive = true): Line => ({
  key: JSON.stringify(labels),
  labels,
  values: [0, last],
  alive,
  lastMs: 0,
});

test("P-2 the largest last values, alive ones first, in label order", () => {
  const lines = [line({ a: "3" }, 3), line({ a: "1" }, 1), line({ a: "9" }, 99, false), line({ a: "2" }, 2)];
  const picked = largest(lines, undefined, 2);
  expect(picked.lines.map((l) => l.labels["a"])).toEqual(["2", "3"]);
  expect(picked.more).toBe(2);
});

test("P-2 ties go by label order", () => {
  const picked = largest(["c", "a", "b"].map((a) => line({ a }, 5)), undefined, 2);
  expect(picked.lines.map((l) => l.labels["a"])).toEqual(["a", "b"]);
});

test("P-3 a living line that is shown stays although another overtook it", () => {
  const lines = [line({ a: "1" }, 1), line({ a: "2" }, 2), line({ a: "3" }, 3)];
  const shown = new Set([line({ a: "1" }, 0).key]);
  expect(largest(lines, shown, 2).lines.map((l) => l.labels["a"])).toEqual(["1", "3"]);
});

test("P-1 rates that do not fit are summed over instance first", () => {
  const lines = ["/a", "/b"].flatMap((endpoint) => ["i1", "i2", "i3"].map((instance) => line({ endpoint, instance }, 2)));
  const picked = largestOrSummed(lines, undefined, 4);
  expect(picked.summedBy).toEqual(["endpoint"]);
  expect(picked.more).toBe(0);
  expect(picked.lines.map((l) => [l.labels, l.values])).toEqual([
    [{ endpoint: "/a" }, [0, 6]],
    [{ endpoint: "/b" }, [0, 6]],
  ]);
});

test("P-1 then by the one label that tells most apart and fits", () => {
  const lines = ["/a", "/b", "/c"].flatMap((endpoint) => ["200", "500"].map((status) => line({ endpoint, status }, 1)));
  expect(largestOrSummed(lines, undefined, 3).summedBy).toEqual(["endpoint"]);
  expect(largestOrSummed(lines, undefined, 2).summedBy).toEqual(["status"]);
});

test("P-1 when no label fits, the largest groups are kept and the others counted", () => {
  const lines = ["1", "2", "3", "4"].map((user) => line({ user }, Number(user)));
  const picked = largestOrSummed(lines, undefined, 3);
  expect(picked.lines.map((l) => l.labels["user"])).toEqual(["2", "3", "4"]);
  expect(picked.more).toBe(1);
});

test("a sum is unknown only where all of it is", () => {
  const a: Line = { key: "a", labels: { x: "1", i: "1" }, values: [1, null, null], alive: true, lastMs: 1 };
  const b: Line = { key: "b", labels: { x: "1", i: "2" }, values: [2, 3, null], alive: false, lastMs: 2 };
  expect(sumBy([a, b], ["x"])).toEqual([{ key: '[["x","1"]]', labels: { x: "1" }, values: [3, 3, null], alive: true, lastMs: 2 }]);
});

test("differingLabels names what tells series apart", () => {
  expect(differingLabels([{ a: "1", b: "x" }, { a: "1", b: "y" }, { a: "1" }])).toEqual(["b"]);
  expect(differingLabels([{ a: "1" }])).toEqual([]);
});
