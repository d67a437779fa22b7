// The read API and ingest of the mock, in the shapes of the real server.
import type { IncomingMessage, ServerResponse } from "node:http";
import { serviceOf } from "../src/derive/service.ts";
import { MockStore, thin, type Labels } from "./store.ts";

interface Item {
  name: string;
  type?: string;
  value?: number;
  labels?: Labels;
  timestamp?: number | string;
  buckets?: [number, number][];
  sum?: number;
  count?: number;
}

export async function handle(store: MockStore, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? "/", "http://mock");
  const json = (body: unknown, status = 200): void => {
    res.statusCode = status;
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify(body));
  };
  if (url.pathname === "/v1/ingest" && req.method === "POST") return json(ingest(store, await bodyOf(req)));
  switch (url.pathname) {
    case "/v1/stats":
      return json(stats(store));
    case "/v1/storage":
      return json(storage(store));
    case "/v1/cardinality":
      return json(cardinality(store));
    case "/v1/health":
      return json(health());
    case "/v1/metrics/list":
      return json(list(store));
    case "/v1/query/range":
      return json({ data: range(store, url.searchParams) });
    default:
      return json({ error: "Not Found", message: `no such path: ${url.pathname}` }, 404);
  }
}

function ingest(store: MockStore, body: string): unknown {
  const { metrics } = JSON.parse(body) as { metrics: Item[] };
  for (const item of metrics) {
    const t = item.timestamp === undefined ? Date.now() : new Date(item.timestamp).getTime();
    const labels = item.labels ?? {};
    if (item.buckets) store.pushHistogram(item.name, labels, t, item.buckets, item.sum ?? 0, item.count ?? 0);
    else store.push(item.name, item.type ?? "unknown", labels, t, item.value ?? 0);
  }
  return { status: "success", count: metrics.length, errors: [] };
}

function list(store: MockStore): unknown {
  const byName = new Map<string, { type: string; series: number; services: Set<string> }>();
  for (const { name, type, labels } of store.series.values()) {
    const entry = byName.get(name) ?? { type, series: 0, services: new Set() };
    byName.set(name, entry);
    entry.series += 1;
    entry.services.add(serviceOf(labels));
  }
  const metrics = [...byName.keys()].sort();
  const details = metrics.map((name) => {
    const { type, series, services } = byName.get(name) as { type: string; series: number; services: Set<string> };
    return { name, type, help: "", unit: "", series, services: [...services].sort() };
  });
  return { metrics, count: metrics.length, details };
}

function range(store: MockStore, params: URLSearchParams): unknown[] {
  const start = Number(params.get("start"));
  const end = Number(params.get("end"));
  const max = Number(params.get("maxPoints") ?? 1000);
  const metric = params.get("metric");
  const matches = [...params.getAll("match[]"), ...(metric === null ? [] : [`{__name__=${JSON.stringify(metric)}}`])];
  return matches
    .flatMap((match) => store.select(match))
    .map(({ name, labels, points }) => ({ metric: name, labels, points: thin(points, start, end, max), ...resolved(start, end, max) }))
    .filter(({ points }) => points.length > 0);
}

const HOUR = 3_600_000;

/** What the real server would say of the same points: windows up to the last whole hour, samples from there on. */
function resolved(start: number, end: number, max: number): object {
  const stepMs = (end - start) / max;
  const resolution = stepMs >= HOUR ? "1h" : stepMs >= HOUR / 12 ? "5m" : "raw";
  const border = resolution === "raw" ? start : Math.floor(Date.now() / HOUR) * HOUR;
  const stretches = [
    { start, end: border - 1, resolution },
    { start: border, end, resolution: "raw" },
  ];
  return { resolution, stretches: stretches.filter((stretch) => stretch.end > stretch.start) };
}

function storage(store: MockStore): unknown {
  const { OldestMetric: oldest, NewestMetric: newest } = stats(store) as { OldestMetric: string | null; NewestMetric: string | null };
  const sizes = [["raw", 2, 14], ["5m", 0.4, 90], ["1h", 0.05, 365]] as const;
  const resolutions = sizes.map(([resolution, share, days]) => ({
    resolution,
    tables: 3,
    bytes: Math.round(samples(store) * share),
    rows: Math.round(samples(store) * (share / 2)),
    oldest,
    newest,
    dropped_until: null,
    retention_seconds: days * 86_400,
    retention: `${days}d`,
  }));
  const used_bytes = resolutions.reduce((sum, { bytes }) => sum + bytes, 0) + 500_000;
  const max_bytes = 2 ** 30;
  const percent = (100 * used_bytes) / max_bytes;
  return { used_bytes, max_bytes, percent, level: "normal", warnings: [], wal_bytes: 90_000, reserve_bytes: 400_000, resolutions, engine: "memory", data_dir: "" };
}

function cardinality(store: MockStore): unknown {
  const all = [...store.series.values()];
  const metrics = new Map<string, number>();
  const labels = new Map<string, { values: Set<string>; series: number }>();
  for (const { name, labels: own } of all) {
    metrics.set(name, (metrics.get(name) ?? 0) + 1);
    for (const [label, value] of Object.entries(own)) {
      const entry = labels.get(label) ?? { values: new Set(), series: 0 };
      labels.set(label, { values: entry.values.add(value), series: entry.series + 1 });
    }
  }
  const top_metrics = [...metrics].map(([metric, series]) => ({ metric, series })).sort((a, b) => b.series - a.series).slice(0, 10);
  const top_labels = [...labels].map(([label, { values, series }]) => ({ label, values: values.size, series })).sort((a, b) => b.values - a.values).slice(0, 10);
  return {
    total_series: all.length,
    unique_metrics: metrics.size,
    series_limit: 10_000,
    per_metric_limit: 0,
    top_metrics,
    top_labels,
    growth: { since: new Date(Date.now() - HOUR).toISOString(), series_added: 3, metrics: top_metrics.slice(0, 2), labels: [] },
    refused_total: 0,
    last_refusal: null,
    expired_total: 0,
  };
}

function health(): unknown {
  const last = new Date(Date.now() - HOUR / 4).toISOString();
  const compaction = { healthy: true, last_success: last, last_attempt: last, consecutive_errors: 0, rolled_until: last, lag_seconds: 900 };
  return { status: "healthy", version: "mock", store: { healthy: true, damage: [] }, compaction, storage: { healthy: true, level: "normal", warnings: [] } };
}

function stats(store: MockStore): unknown {
  const all = [...store.series.values()];
  const oldest = Math.min(...all.map((s) => s.points[0]?.t ?? Number.POSITIVE_INFINITY));
  const newest = Math.max(...all.map((s) => s.points.at(-1)?.t ?? 0), 0);
  return {
    TotalMetrics: samples(store),
    TotalSeries: all.length,
    SizeBytes: samples(store) * 2,
    OldestMetric: Number.isFinite(oldest) ? new Date(oldest).toISOString() : null,
    NewestMetric: newest > 0 ? new Date(newest).toISOString() : null,
    Metrics: new Set(all.map((s) => s.name)).size,
    Services: [...new Set(all.map((s) => serviceOf(s.labels)).filter((service) => service !== ""))].sort(),
    Clients: 1,
  };
}

function samples(store: MockStore): number {
  return [...store.series.values()].reduce((sum, series) => sum + series.points.length, 0);
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
