// Warnings: what the store wants people to know, the worst first.
//
//   /v1/storage, /v1/health, /v1/cardinality, now → [warnings] → ui/Banner.tsx
//
// Must hold:
// A-1  A text is the same while nothing changes that matters: no figure that moves with every poll, since
//      each change is read aloud.
// A-2  The id says how bad it is and of what: a warning that was dismissed comes back when it gets worse.
// Proved by: warnings.test.ts.
import type { Cardinality, Health, Level, Refusal, Storage } from "../api/types.ts";
import { formatCount, formatValue } from "../format/number.ts";

export interface Warning {
  readonly id: string;
  readonly severe: boolean;
  readonly text: string;
}

const REFUSED_MS = 3_600_000;

export function warningsOf(
  storage: Storage | null,
  health: Health | null,
  cardinality: Cardinality | null,
  nowMs: number,
): Warning[] {
  const all = [storeWarning(health), budgetWarning(storage), maintenanceWarning(health), damageWarning(health), refusalWarning(cardinality, nowMs)];
  return all.filter((warning) => warning !== null).sort((a, b) => Number(b.severe) - Number(a.severe));
}

/**
 * `metric x was refused: its label y has 5,000 values`. Counted when the series was refused, and again since:
 * what the same request brought was not counted yet.
 */
export function refusalText({ metric, label, values: then }: Refusal, { top_labels }: Cardinality): string {
  const values = Math.max(then, top_labels.find((top) => top.label === label)?.values ?? 0);
  if (label === "") return `metric ${metric} was refused: it has no labels, there are too many metrics`;
  return `metric ${metric} was refused: its label ${label} has ${formatCount(values)} ${values === 1 ? "value" : "values"}`;
}

/** The limit that it met. */
export function refusalLimit({ rule }: Refusal, { series_limit, per_metric_limit }: Cardinality): string {
  return rule === "metric_series_limit"
    ? `a metric may have ${formatCount(per_metric_limit)} series`
    : `the server may have ${formatCount(series_limit)} series`;
}

function storeWarning(health: Health | null): Warning | null {
  if (health === null || health.store.healthy) return null;
  return { id: "store", severe: true, text: `The store takes no more writes: ${health.store.last_error ?? "it does not say why"}.` };
}

const BUDGET: Readonly<Record<Exclude<Level, "normal">, (budget: string) => string>> = {
  warning_80: (budget) => `More than 80 % of the disk budget of ${budget} is used.`,
  warning_90: (budget) => `More than 90 % of the disk budget of ${budget} is used.`,
  full: (budget) => `The disk budget of ${budget} is spent and nothing more may be dropped: new samples are refused.`,
};

function budgetWarning(storage: Storage | null): Warning | null {
  if (storage === null || storage.level === "normal") return null;
  const text = BUDGET[storage.level](formatValue(storage.max_bytes, "bytes"));
  return { id: `budget:${storage.level}`, severe: storage.level === "full", text };
}

function maintenanceWarning(health: Health | null): Warning | null {
  if (health === null || health.compaction.healthy) return null;
  const why = health.compaction.last_error;
  return { id: "maintenance", severe: true, text: `Maintenance does not succeed${why === undefined ? "" : `: ${why}`}. Old data stays, and is not summarised.` };
}

function damageWarning(health: Health | null): Warning | null {
  const damage = health?.store.damage ?? [];
  if (damage.length === 0) return null;
  const parts = damage.length === 1 ? "A damaged part" : `${damage.length} damaged parts`;
  const were = damage.length === 1 ? "was" : "were";
  return { id: `damage:${damage.length}`, severe: false, text: `${parts} of the store ${were} set aside at the start; the rest is served.` };
}

function refusalWarning(cardinality: Cardinality | null, nowMs: number): Warning | null {
  const last = cardinality?.last_refusal ?? null;
  if (cardinality === null || last === null || !(nowMs - Date.parse(last.at) < REFUSED_MS)) return null;
  const text = refusalText(last, cardinality);
  return { id: `refused:${last.metric}:${last.label}`, severe: false, text: `${text.charAt(0).toUpperCase()}${text.slice(1)}.` };
}
