// Family: one card's worth of metric names, and the services they belong to.
//
//   metrics/list details → [family] → sections of cards → selector → range query
//
// Must hold:
// F-1  Every listed (metric, service) pair is in exactly one family of exactly one section.
// F-2  A histogram's `_bucket`, `_sum` and `_count` are one family under the base name; `_sum` and
//      `_count` without a `_bucket` stay on their own.
// F-3  Sections and families are in code-point order, "no service" last; what every process has
//      (`process_*`, `tinyobs_sdk_*`, `up`) apart.
import type { Kind, MetricDetail } from "../api/types.ts";

export type Drawing = "rate" | "gauge" | "histogram";

export interface Family {
  /** The name on the card: a histogram's without `_bucket`. */
  readonly name: string;
  /** The metric that is asked for. */
  readonly metric: string;
  readonly service: string;
  readonly kind: Kind;
  readonly drawing: Drawing;
  readonly help: string;
  readonly unit: string;
}

export interface Section {
  /** "" for series without a service. */
  readonly service: string;
  readonly families: readonly Family[];
  /** The process itself and its SDK: the same for every service, so they wait folded at the end. */
  readonly background: readonly Family[];
}

export const PROCESS_PREFIX = "process_";
export const SDK_PREFIX = "tinyobs_sdk_";
/** Whether a process pushes; the server writes it. */
export const UP = "up";

export function sectionsOf(details: readonly MetricDetail[]): Section[] {
  const byService = new Map<string, MetricDetail[]>();
  for (const detail of details) {
    for (const service of detail.services.length > 0 ? detail.services : [""]) {
      byService.set(service, [...(byService.get(service) ?? []), detail]);
    }
  }
  return [...byService.keys()].sort(noServiceLast).map((service) => {
    const families = familiesOf(byService.get(service) ?? [], service);
    return {
      service,
      families: families.filter((family) => !isBackground(family)),
      background: families.filter(isBackground),
    };
  });
}

function isBackground({ name }: Family): boolean {
  return name === UP || name.startsWith(PROCESS_PREFIX) || name.startsWith(SDK_PREFIX);
}

function familiesOf(details: readonly MetricDetail[], service: string): Family[] {
  const bases = new Set(details.filter(isBucket).map((d) => stripSuffix(d.name, "_bucket")));
  return details
    .filter((detail) => !isFolded(detail.name, bases))
    .map((detail) => familyOf(detail, service))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function familyOf(detail: MetricDetail, service: string): Family {
  const histogram = isBucket(detail);
  return {
    name: histogram ? stripSuffix(detail.name, "_bucket") : detail.name,
    metric: detail.name,
    service,
    kind: histogram ? "histogram" : detail.type,
    drawing: histogram ? "histogram" : drawingOf(detail),
    help: detail.help,
    unit: detail.unit,
  };
}

/** A bucket by type, or by name when whoever pushed it gave no type. */
function isBucket(detail: MetricDetail): boolean {
  return detail.name.endsWith("_bucket") && (detail.type === "histogram" || detail.type === "unknown");
}

function isFolded(name: string, bases: ReadonlySet<string>): boolean {
  return ["_sum", "_count"].some((suffix) => name.endsWith(suffix) && bases.has(stripSuffix(name, suffix)));
}

function drawingOf({ name, type }: MetricDetail): Drawing {
  switch (type) {
    case "counter":
      return "rate";
    case "gauge":
      return "gauge";
    case "histogram":
    case "summary":
      return /_(sum|count)$/.test(name) ? "rate" : "gauge";
    case "unknown":
      return name.endsWith("_total") ? "rate" : "gauge";
  }
}

function stripSuffix(name: string, suffix: string): string {
  return name.slice(0, -suffix.length);
}

function noServiceLast(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  return a < b ? -1 : 1;
}
