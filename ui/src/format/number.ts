// Numbers for people: 1.5 ms, 12.3 MiB, 4.2 k/s, 97 %.
//
// Must hold: the same value and unit always read the same; three significant digits at most, none
// padded; an axis uses one scale for all its ticks (`axisFormat`), so that ticks compare at a glance.
import type { Unit } from "./unit.ts";

interface Scale {
  readonly factor: number;
  readonly suffix: string;
}

const PLAIN: readonly Scale[] = [
  { factor: 1e12, suffix: "T" },
  { factor: 1e9, suffix: "G" },
  { factor: 1e6, suffix: "M" },
  { factor: 1e3, suffix: "k" },
  { factor: 1, suffix: "" },
];
const SECONDS: readonly Scale[] = [
  { factor: 86_400, suffix: " d" },
  { factor: 3_600, suffix: " h" },
  { factor: 60, suffix: " min" },
  { factor: 1, suffix: " s" },
  { factor: 1e-3, suffix: " ms" },
  { factor: 1e-6, suffix: " µs" },
  { factor: 1e-9, suffix: " ns" },
];
const BYTES: readonly Scale[] = [
  { factor: 2 ** 40, suffix: " TiB" },
  { factor: 2 ** 30, suffix: " GiB" },
  { factor: 2 ** 20, suffix: " MiB" },
  { factor: 2 ** 10, suffix: " KiB" },
  { factor: 1, suffix: " B" },
];

const AGE_IN_SECONDS_MAX = 100;

const SCALES: Readonly<Record<Unit, readonly Scale[]>> = {
  none: PLAIN,
  seconds: SECONDS,
  bytes: BYTES,
  ratio: [{ factor: 0.01, suffix: " %" }],
  percent: [{ factor: 1, suffix: " %" }],
  age: SECONDS,
  perSecond: PLAIN.map((scale) => ({ ...scale, suffix: `${scale.suffix && ` ${scale.suffix}`}/s` })),
  bytesPerSecond: BYTES.map((scale) => ({ ...scale, suffix: `${scale.suffix}/s` })),
};

export function formatValue(value: number, unit: Unit): string {
  if (unit === "age") return value < 0 ? `in ${roughly(-value)}` : `${roughly(value)} ago`;
  const scale = scaleFor(Math.abs(value), unit);
  return digits(value / scale.factor) + scale.suffix;
}

/** A length on the unit's scale, such as a mean: an age of 5 s is 5 s long. */
export function formatLength(value: number, unit: Unit): string {
  return formatValue(value, unit === "age" ? "seconds" : unit);
}

/** Ticks of one axis, all in the scale of the largest. */
export function axisFormat(ticks: readonly number[], unit: Unit): string[] {
  const scale = axisScale(ticks, unit);
  return ticks.map((tick) => (tick === 0 && scale.suffix.trim() !== "%" ? "0" : digits(tick / scale.factor) + scale.suffix));
}

/** Whole numbers with separators: 12,345. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A count that may be a part of one: 0.4, but 12,345. */
export function formatShare(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : formatCount(value);
}

/** Exact, for tables: what was stored, shortest form. */
export function formatExact(value: number): string {
  return String(value);
}

function scaleFor(magnitude: number, unit: Unit): Scale {
  const scales = SCALES[unit];
  const fallback = scales.find((scale) => scale.factor === 1) ?? (scales[0] as Scale);
  if (magnitude === 0) return fallback;
  // 999.7 rounds to 1000 in three digits: let it move up a scale instead.
  return scales.find((scale) => magnitude * 1.0005 >= scale.factor) ?? (scales.at(-1) as Scale);
}

/** The largest tick's scale; clock units only where every tick is whole: 15 s and 45 s, not 0.25 min. */
function axisScale(ticks: readonly number[], unit: Unit): Scale {
  const largest = scaleFor(Math.max(...ticks.map(Math.abs), 0), unit);
  if (SCALES[unit] !== SECONDS || largest.factor <= 1) return largest;
  const whole = (scale: Scale): boolean => ticks.every((tick) => Number.isInteger(tick / scale.factor));
  return SECONDS.find((scale) => scale.factor <= largest.factor && (scale.factor === 1 || whole(scale))) ?? largest;
}

/** An age is read at a glance and changes all the time: whole seconds, then two digits. */
function roughly(seconds: number): string {
  if (seconds < AGE_IN_SECONDS_MAX) return `${Math.floor(seconds)} s`;
  const scale = scaleFor(seconds, "age");
  const scaled = seconds / scale.factor;
  return `${scaled < 10 ? Number(scaled.toPrecision(2)) : digits(Math.round(scaled))}${scale.suffix}`;
}

function digits(value: number): string {
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e");
  if (magnitude >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
