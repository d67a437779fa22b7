// Service: which service a series is of, and how its series are asked for.
//
//   labels → [serviceOf] → section        (metric, service) → [serviceSelectors] → range query
//
// Must hold:
// S-1  A series is of the service that its label `service` names, else `service_name` (OpenTelemetry),
//      else `job` (Prometheus), as the server has it in /v1/metrics/list.
// S-2  The selectors of a metric's services find each of its series exactly once.
import { selector } from "../api/selector.ts";
import type { Labels } from "../api/types.ts";

/** The first that a series has counts. */
export const SERVICE_LABELS = ["service", "service_name", "job"] as const;

/** "" for a series that has none of them. */
export function serviceOf(labels: Labels): string {
  const label = SERVICE_LABELS.find((name) => labels[name]);
  return label === undefined ? "" : (labels[label] as string);
}

/** One for each label that may name the service; they never find the same series. */
export function serviceSelectors(metric: string, service: string): readonly string[] {
  const without = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, ""]));
  if (service === "") return [selector({ __name__: metric, ...without(SERVICE_LABELS) })];
  return SERVICE_LABELS.map((name, place) => selector({ __name__: metric, ...without(SERVICE_LABELS.slice(0, place)), [name]: service }));
}
