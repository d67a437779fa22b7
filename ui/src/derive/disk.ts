// Disk: what the used bytes are, as parts of one bar and rows of one table.
//
//   /v1/storage → [disk] → views/storage/Disk.tsx
//
// Must hold: the parts add up to what is used, the rest is named; resolutions come from fine to coarse.
import type { Kept, Resolution, Storage } from "../api/types.ts";

export type PartName = Resolution | "log" | "catalogue" | "reserve";

export interface DiskPart {
  readonly name: PartName;
  readonly bytes: number;
  /** What is kept in it; null for what serves the store itself. */
  readonly kept: Kept | null;
}

export function diskParts(info: Storage): DiskPart[] {
  const kept = info.resolutions.map((space): DiskPart => ({ name: space.resolution, bytes: space.bytes, kept: space }));
  const own: DiskPart[] = [
    { name: "log", bytes: info.wal_bytes, kept: null },
    { name: "reserve", bytes: info.reserve_bytes, kept: null },
  ];
  const named = [...kept, ...own].reduce((sum, { bytes }) => sum + bytes, 0);
  const rest: DiskPart = { name: "catalogue", bytes: Math.max(0, info.used_bytes - named), kept: null };
  return [...kept, rest, ...own].filter(({ bytes, kept: space }) => space !== null || bytes > 0);
}

/**
 * When the oldest data is of; null when there is none. Of samples to the ms; where they have been dropped,
 * windows may reach further back, as far as their own start says.
 */
export function oldestOf(oldestSample: string | null, info: Storage | null): number | null {
  let oldest = parsed(oldestSample);
  let finer: Kept | null = null;
  for (const space of info?.resolutions ?? []) {
    const begins = parsed(space.oldest);
    const further = begins !== null && (oldest === null || begins < oldest);
    if (finer?.dropped_until != null && further) oldest = begins;
    finer = space;
  }
  return oldest;
}

function parsed(rfc3339: string | null): number | null {
  const ms = Date.parse(rfc3339 ?? "");
  return Number.isNaN(ms) ? null : ms;
}

/** Of the budget, or of what is used when there is none. */
export function wholeBytes({ used_bytes, max_bytes }: Storage): number {
  return Math.max(1, max_bytes > 0 ? max_bytes : used_bytes);
}
