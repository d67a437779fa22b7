// Status: how the store does, for the banner on every view and the view Storage.
//
//   live.ts beat ─▶ [status] ─▶ api health + cardinality ─▶ derive/warnings.ts ─▶ banner
//                                                     └──▶ views/storage
//
// Must hold:
// T-1  Asked for every STATUS_MS, and with every beat while someone looks at it (`watch`).
// T-2  Old answers stay when one fails; whether the server answers is live.ts's to say.
import { effect, signal } from "@preact/signals";
import type { Cardinality, Health } from "../api/types.ts";
import { api, beat } from "./live.ts";

const STATUS_MS = 30_000;

export const health = signal<Health | null>(null);
export const cardinality = signal<Cardinality | null>(null);

let watchers = 0;
let asking = false;
let askedAt = Number.NEGATIVE_INFINITY;

export function startStatus(): void {
  effect(() => {
    if (beat.value > 0) void ask();
  });
}

/** Keeps the status as fresh as everything else until the returned function is called. */
export function watch(): () => void {
  watchers += 1;
  void ask();
  return () => (watchers -= 1);
}

async function ask(): Promise<void> {
  if (asking || (watchers === 0 && performance.now() - askedAt < STATUS_MS)) return;
  asking = true;
  askedAt = performance.now();
  try {
    const [nextHealth, nextCardinality] = await Promise.all([api.health(), api.cardinality()]);
    health.value = nextHealth;
    cardinality.value = nextCardinality;
  } catch {
    // T-2
  } finally {
    asking = false;
  }
}
