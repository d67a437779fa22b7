import { expect, test } from "vitest";
import { MockStore } from "../../dev/store.ts";
import type { Labels } from "../api/types.ts";
import { serviceOf, serviceSelectors } from "./service.ts";

const ALL: readonly Labels[] = [
  { service: "shop", job: "other" },
  { service_name: "shop", job: "team/shop" },
  { job: "shop" },
  { service: "", service_name: "", job: "shop", instance: "a" },
  { service: "other", service_name: "shop", job: "shop" },
  { service_name: "other", job: "shop" },
  { job: 'say "hi"' },
  {},
  { instance: "a" },
];

test("S-1 the label service counts, else service_name, else job", () => {
  expect(ALL.map(serviceOf)).toEqual(["shop", "shop", "shop", "shop", "other", "other", 'say "hi"', "", ""]);
});

test("S-2 what is asked for a service is each of its series, once", () => {
  const store = new MockStore();
  for (const labels of ALL) store.push("m", "gauge", { ...labels }, 0, 1);
  store.push("n", "gauge", { job: "shop" }, 0, 1);
  for (const service of new Set(ALL.map(serviceOf))) {
    const found = serviceSelectors("m", service).flatMap((match) => store.select(match));
    const wanted = ALL.filter((labels) => serviceOf(labels) === service);
    expect(new Set(found.map((series) => series.labels))).toEqual(new Set(wanted));
    expect(found.length).toBe(wanted.length);
  }
});

test("the selectors name the labels before theirs as missing", () => {
  expect(serviceSelectors("m", "shop")).toEqual([
    '{__name__="m",service="shop"}',
    '{__name__="m",service="",service_name="shop"}',
    '{__name__="m",service="",service_name="",job="shop"}',
  ]);
  expect(serviceSelectors("m", "")).toEqual(['{__name__="m",service="",service_name="",job=""}']);
});
