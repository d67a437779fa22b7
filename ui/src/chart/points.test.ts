import { expect, test } from "vitest";
import { dotted } from "./points.ts";

test("short runs are dots, long ones are not", () => {
  const wide = (i: number): number => 10 * i;
  expect(dotted([5], wide)).toEqual([0]);
  expect(dotted([null, 1, null, 2, 3, null], wide)).toEqual([1, 3, 4]);
  expect(dotted([1, 2, 3], wide)).toEqual([0, 1, 2]);
  expect(dotted([1, 2, 3, 4], wide)).toEqual([]);
  expect(dotted([1, 2, 3, 4, null, 5], wide)).toEqual([5]);
  expect(dotted([], wide)).toEqual([]);
});

test("a missing sample of a shared axis does not end a run", () => {
  expect(dotted([1, undefined, 2, undefined, 3, 4], (i) => 10 * i)).toEqual([]);
});

test("a run of many samples within a few pixels is dots too", () => {
  expect(dotted([1, 2, 3, 4, 5], (i) => 0.9 * i)).toEqual([0, 1, 2, 3, 4]);
  expect(dotted([1, 2, 3, 4, 5], (i) => i)).toEqual([]);
});
