// Live: what the whole page knows (header numbers, list of metrics) and the beat cards refresh on.
//
//   timer ─▶ [live] ─▶ api stats + storage + metrics ─▶ header, sections
//                 └──▶ beat ─▶ visible cards refresh (state/feed.ts)
//
// Must hold:
// L-1  One poll at a time; none while the tab is hidden; one at once when it is shown again.
// L-2  Old numbers stay when a poll fails; only `connection` says so.
// L-3  The metric list keeps its identity while its content is the same, so that cards are not rebuilt.
import { computed, signal } from "@preact/signals";
import { Api, isAbort } from "../api/client.ts";
import { RequestQueue } from "../api/queue.ts";
import { oldestOf } from "../derive/disk.ts";
import type { MetricDetail, Stats, Storage } from "../api/types.ts";

export type Connection = "connecting" | "live" | "reconnecting";

const POLL_MS = 5_000;
/** While nothing is stored yet someone is waiting for the first sample to show. */
const POLL_EMPTY_MS = 1_000;
const RETRY_MS = 2_000;
/** A poll that takes longer is given up: a hung connection must not look live. */
const POLL_TIMEOUT_MS = 10_000;

export const api = new Api();
export const queue = new RequestQueue();

export const connection = signal<Connection>("connecting");
export const stats = signal<Stats | null>(null);
export const storage = signal<Storage | null>(null);
/** When the store's oldest data were taken; null while it is empty. */
export const oldestMs = computed(() => oldestOf(stats.value?.OldestMetric ?? null, storage.value));
/** Null until the first answer. */
export const metrics = signal<readonly MetricDetail[] | null>(null);
/** Goes up after each good poll. */
export const beat = signal(0);
/** Goes up when the user asks for everything anew. */
export const reloads = signal(0);

let timer: ReturnType<typeof setTimeout> | undefined;
let polling = false;

export function startLive(): void {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void poll();
  });
  void poll();
}

/** `R`: everything anew, at once. */
export function reload(): void {
  reloads.value += 1;
  void poll();
}

async function poll(): Promise<void> {
  if (polling) return;
  polling = true;
  clearTimeout(timer);
  const signalOff = AbortSignal.timeout(POLL_TIMEOUT_MS);
  try {
    const [nextStats, nextStorage, nextMetrics] = await Promise.all([
      api.stats(signalOff),
      api.storage(signalOff),
      api.metrics(signalOff),
    ]);
    stats.value = nextStats;
    storage.value = nextStorage;
    if (JSON.stringify(nextMetrics) !== JSON.stringify(metrics.value)) metrics.value = nextMetrics;
    connection.value = "live";
    beat.value += 1;
  } catch (error) {
    if (!isAbort(error)) connection.value = "reconnecting";
  } finally {
    polling = false;
    if (!document.hidden) timer = setTimeout(() => void poll(), pause());
  }
}

function pause(): number {
  if (connection.value !== "live") return RETRY_MS;
  return metrics.value?.length === 0 ? POLL_EMPTY_MS : POLL_MS;
}
