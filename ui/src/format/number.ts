// Numbers for people: 1.5 ms, 12.3 MiB, 4.2 k/s, 97 %.
//
// Must hold: the same value and unit always read the same; three significant digits at most (four for
// plain numbers and rates below 100k, where 9,980 and 9,981 differ), none padded; an axis uses one scale
// for all its ticks (`axisFormat`), so that ticks compare at a glance, and as many digits as tell them apart.
import type { Unit } from "./unit.ts";

interface Scale {
  readonly factor: number;
  readonly suffix: string;
  /** Where it begins, when not at its factor. */
  readonly from?: number;
}

const PLAIN: readonly Scale[] = [
  { factor: 1e12, suffix: "T" },
  { factor: 1e9, suffix: "G" },
  { factor: 1e6, suffix: "M" },
  { factor: 1e3, suffix: "k", from: 1e4 },
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

const DIGITS = 3;
const DIGITS_PLAIN = 4;
const PLAIN_BELOW = 100_000;
/** More than a double holds for certain. */
const DIGITS_MAX = 15;
/** A tick's text may be off by this share of the distance to the next. */
const TICK_ERROR_MAX = 0.1;

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
  return digits(value / scale.factor, precision(value, unit)) + scale.suffix;
}

/** A length on the unit's scale, such as a mean: an age of 5 s is 5 s long. */
export function formatLength(value: number, unit: Unit): string {
  return formatValue(value, unit === "age" ? "seconds" : unit);
}

/** Ticks of one axis, all in the scale of the largest. */
export function axisFormat(ticks: readonly number[], unit: Unit): string[] {
  const scale = axisScale(ticks, unit);
  const significant = tickDigits(ticks.map((tick) => tick / scale.factor));
  return ticks.map((tick) =>
    tick === 0 && scale.suffix.trim() !== "%" ? "0" : digits(tick / scale.factor, significant) + scale.suffix,
  );
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
  const rounded = magnitude * (1 + 0.5 * 10 ** -precision(magnitude, unit));
  return scales.find((scale) => rounded >= (scale.from ?? scale.factor)) ?? (scales.at(-1) as Scale);
}

function precision(value: number, unit: Unit): number {
  return (unit === "none" || unit === "perSecond") && Math.abs(value) < PLAIN_BELOW ? DIGITS_PLAIN : DIGITS;
}

/** The fewest digits in which no tick is drawn elsewhere than it says. */
function tickDigits(ticks: readonly number[]): number {
  const distances = ticks.slice(1).map((tick, i) => Math.abs(tick - (ticks[i] as number)));
  const allowed = TICK_ERROR_MAX * Math.min(...distances);
  let significant = DIGITS;
  const isOff = (tick: number): boolean => Math.abs(Number(tick.toPrecision(significant)) - tick) > allowed;
  while (significant < DIGITS_MAX && ticks.some(isOff)) significant += 1;
  return significant;
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

function digits(value: number, significant = DIGITS): string {
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-3) return value.toExponential(significant - 1).replace(/(\.\d*?)0+e/, "$1e").replace(".e", "e");
  const rounded = magnitude >= 1000 && significant === DIGITS ? Math.round(value) : Number(value.toPrecision(significant));
  return magnitude >= 1000 ? rounded.toLocaleString("en-US", { maximumFractionDigits: DIGITS_MAX }) : String(rounded);
}
