// Believable data for the mock: a shop with traffic, errors, queues and a nightly batch job.
import type { MockStore } from "./store.ts";

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const ENDPOINTS = [
  { path: "/api/users", rate: 3.2, median: 0.07 },
  { path: "/api/orders", rate: 2.1, median: 0.1 },
  { path: "/api/products", rate: 5.4, median: 0.042 },
];
const HOUR = 3_600_000;

/** Fills the past (coarser the older) and returns what adds the next sample. */
export function demo(store: MockStore, now: number): (t: number) => void {
  const next = shop(store);
  for (let t = now - 168 * HOUR; t <= now; ) {
    next(t);
    t += t > now - 2 * HOUR ? 5_000 : t > now - 26 * HOUR ? 60_000 : 600_000;
  }
  return next;
}

function shop(store: MockStore): (t: number) => void {
  const random = mulberry(7);
  const state = ENDPOINTS.map(() => ({ ok: 0, failed: 0, sum: 0, buckets: BOUNDS.map(() => 0) }));
  const base = { service: "demo-shop", instance: "demo:4242" };
  let before = 0;
  let cpu = 0;
  let queue = 12;
  let batch = 0;
  return (t) => {
    const seconds = before === 0 ? 0 : (t - before) / 1000;
    before = t;
    const day = 0.65 + 0.35 * Math.sin((t / (24 * HOUR)) * 2 * Math.PI - 1);
    const burst = Math.sin(t / 420_000) > 0.85 ? 2.2 : 1;
    ENDPOINTS.forEach((endpoint, i) => {
      const s = state[i] as (typeof state)[number];
      const requests = Math.round(endpoint.rate * day * burst * seconds * (0.85 + 0.3 * random()));
      const failed = Math.round(requests * 0.02 * (0.4 + 1.2 * random()));
      s.ok += requests - failed;
      s.failed += failed;
      const drawn = Math.min(requests, 400);
      for (let n = 0; n < drawn; n += 1) {
        const latency = endpoint.median * Math.exp(0.55 * normal(random)) * (burst > 1 ? 1.5 : 1);
        s.sum += latency * (requests / drawn);
        BOUNDS.forEach((bound, b) => {
          if (latency <= bound) s.buckets[b] = (s.buckets[b] as number) + requests / drawn;
        });
      }
      const labels = { ...base, endpoint: endpoint.path };
      store.push("http_requests_total", "counter", { ...labels, status: "200" }, t, s.ok);
      store.push("http_requests_total", "counter", { ...labels, status: "500" }, t, s.failed);
      const buckets = BOUNDS.map((bound, b) => [bound, Math.round(s.buckets[b] as number)] as [number, number]);
      store.pushHistogram("http_request_duration_seconds", labels, t, buckets, s.sum, s.ok + s.failed);
    });
    store.push("active_users", "gauge", base, t, Math.round(40 * day * burst + 8 * random()));
    queue = Math.max(0, queue + (random() - 0.52) * 6 + (burst > 1 ? 1.4 : 0));
    store.push("queue_depth", "gauge", { ...base, queue: "email" }, t, Math.round(queue));
    store.push("queue_depth", "gauge", { ...base, queue: "invoices" }, t, Math.round(queue * 0.4 + 5));
    store.push("cache_hit_ratio", "gauge", base, t, 0.9 + 0.06 * Math.sin(t / 900_000) + 0.01 * random());
    cpu += seconds * (0.05 + 0.1 * day * burst);
    store.push("process_cpu_seconds_total", "counter", base, t, cpu);
    store.push("process_resident_memory_bytes", "gauge", base, t, (48 + 9 * day + 2 * random()) * 2 ** 20);
    store.push("process_open_fds", "gauge", base, t, 20 + Math.round(6 * random()));
    store.push("process_threads", "gauge", base, t, 9);
    // The batch job runs for ten minutes of each half hour and is silent otherwise.
    if (t % (HOUR / 2) < 600_000) {
      batch += Math.round(seconds * 180 * (0.8 + 0.4 * random()));
      const job = { service: "nightly-batch", instance: "batch:1" };
      store.push("batch_rows_processed_total", "counter", job, t, batch);
      store.push("batch_progress_ratio", "gauge", job, t, (t % (HOUR / 2)) / 600_000);
    }
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random());
}

/** A small seeded generator: the same picture on every start. */
function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}
