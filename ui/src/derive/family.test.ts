import { expect, test } from "vitest";
import type { Kind, MetricDetail } from "../api/types.ts";
import { sectionsOf } from "./family.ts";

const detail = (name: string, type: Kind, services: string[] = ["shop"]): MetricDetail => ({
  name,
  type,
  help: "",
  unit: "",
  series: 1,
  services,
});

test("F-2 a histogram's three metrics are one family", () => {
  const [section] = sectionsOf([
    detail("x_bucket", "histogram"),
    detail("x_count", "histogram"),
    detail("x_sum", "histogram"),
    detail("y_count", "unknown"),
  ]);
  expect(section?.families.map((f) => [f.name, f.metric, f.drawing])).toEqual([
    ["x", "x_bucket", "histogram"],
    ["y_count", "y_count", "gauge"],
  ]);
});

test("F-1 a metric of two services is in both, one without a service under ''", () => {
  const sections = sectionsOf([detail("a", "gauge", ["web", "api"]), detail("b", "gauge", []), detail("c", "gauge", ["", "api"])]);
  expect(sections.map((s) => [s.service, s.families.map((f) => f.name)])).toEqual([
    ["api", ["a", "c"]],
    ["web", ["a"]],
    ["", ["b", "c"]],
  ]);
});

test("F-3 what every process has stands apart", () => {
  const [section] = sectionsOf([detail("tinyobs_sdk_pushes_total", "counter"), detail("process_threads", "gauge"), detail("b_total", "counter"), detail("a", "gauge"), detail("up", "gauge"), detail("uptime", "gauge")]);
  expect(section?.families.map((f) => f.name)).toEqual(["a", "b_total", "uptime"]);
  expect(section?.background.map((f) => f.name)).toEqual(["process_threads", "tinyobs_sdk_pushes_total", "up"]);
});

test("the kind decides the drawing, the name only when there is no kind", () => {
  const drawings = sectionsOf([
    detail("a", "counter"),
    detail("b_total", "gauge"),
    detail("c_total", "unknown"),
    detail("d", "unknown"),
    detail("e", "summary"),
    detail("e_sum", "summary"),
  ])[0]?.families.map((f) => f.drawing);
  expect(drawings).toEqual(["rate", "gauge", "rate", "gauge", "gauge", "rate"]);
});
