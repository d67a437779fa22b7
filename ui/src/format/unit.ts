// Unit: what a metric's numbers mean, from its unit field or its name.
//
//   MetricDetail.unit, name → [unit] → format/number.ts
//
// Must hold: a declared unit wins over the name; `_total` is looked through; unknown is "none" (plain
// numbers), never a guess. A rate has its own unit: bytes become bytes per second, and seconds per
// second (CPU time) become a share. A moment (`*_timestamp_seconds`) is read as its age: nobody counts in
// seconds since 1970, and how long ago the last success was is the question.

export type Unit =
  | "none"
  | "seconds"
  | "bytes"
  | "ratio"
  | "percent"
  | "age"
  | "perSecond"
  | "bytesPerSecond";

const DECLARED: Readonly<Record<string, Unit>> = {
  s: "seconds",
  sec: "seconds",
  second: "seconds",
  seconds: "seconds",
  by: "bytes",
  byte: "bytes",
  bytes: "bytes",
  ratio: "ratio",
  "1": "none",
  "%": "percent",
  percent: "percent",
};

export function unitOf(name: string, declared: string): Unit {
  const bare = name.replace(/_total$/, "");
  if (/_(timestamp|start_time|last_success|last_run)_seconds$/.test(bare)) return "age";
  const known = DECLARED[declared.trim().toLowerCase()];
  if (known !== undefined) return known;
  if (/_seconds$/.test(bare)) return "seconds";
  if (/_bytes$/.test(bare)) return "bytes";
  if (/_ratio$/.test(bare)) return "ratio";
  if (/_percent$/.test(bare)) return "percent";
  return "none";
}

export function rateUnit(unit: Unit): Unit {
  if (unit === "bytes") return "bytesPerSecond";
  if (unit === "seconds") return "ratio";
  return "perSecond";
}
