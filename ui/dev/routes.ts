// The read API and ingest of the mock, in the shapes of the real server.
import type { IncomingMessage, ServerResponse } from "node:http";
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
      return json({ used_bytes: samples(store) * 2 + 4096, max_bytes: 0, engine: "memory", data_dir: "" });
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
    entry.services.add(labels["service"] ?? "");
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
    .map(({ name, labels, points }) => ({ metric: name, labels, points: thin(points, start, end, max), resolution: "raw" }))
    .filter(({ points }) => points.length > 0);
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
    Services: [...new Set(all.flatMap((s) => s.labels["service"] ?? []))].sort(),
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
