// The mock's memory: series and their samples, and just enough of selectors to find them.
//
// For developing the dashboard only: `npm run dev:mock`, and browser tests without a server.

export type Labels = Record<string, string>;

export interface Series {
  readonly name: string;
  readonly type: string;
  readonly labels: Labels;
  readonly points: { t: number; v: number }[];
}

export class MockStore {
  readonly series = new Map<string, Series>();

  push(name: string, type: string, labels: Labels, t: number, v: number): void {
    const key = JSON.stringify([name, Object.entries(labels).sort()]);
    const series = this.series.get(key) ?? { name, type, labels, points: [] };
    this.series.set(key, series);
    const last = series.points.at(-1);
    if (last === undefined || last.t < t) series.points.push({ t, v });
    else {
      series.points.splice(series.points.findIndex((p) => p.t >= t), last.t === t ? 1 : 0, { t, v });
    }
  }

  pushHistogram(name: string, labels: Labels, t: number, buckets: [number, number][], sum: number, count: number): void {
    for (const [le, cumulative] of [...buckets, [Infinity, count] as const]) {
      const text = le === Infinity ? "+Inf" : String(le);
      this.push(`${name}_bucket`, "histogram", { ...labels, le: text }, t, cumulative);
    }
    this.push(`${name}_sum`, "histogram", labels, t, sum);
    this.push(`${name}_count`, "histogram", labels, t, count);
  }

  select(match: string): Series[] {
    const matchers = [...match.matchAll(/([A-Za-z_][\w]*)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"/g)].map(
      ([, name, op, raw]) => ({ name: name as string, op, value: JSON.parse(`"${raw}"`) as string }),
    );
    return [...this.series.values()].filter((series) =>
      matchers.every(({ name, op, value }) => {
        const has = name === "__name__" ? series.name : (series.labels[name] ?? "");
        const equal = op === "=~" || op === "!~" ? new RegExp(`^(?:${value})$`).test(has) : has === value;
        return op === "=" || op === "=~" ? equal : !equal;
      }),
    );
  }
}

/** Smallest and largest of each stretch of time, as the server's `maxPoints` does. */
export function thin(points: readonly { t: number; v: number }[], start: number, end: number, max: number) {
  const inside = points.filter((p) => p.t >= start && p.t <= end);
  if (inside.length <= max) return inside;
  const buckets = Math.floor(max / 2);
  const kept = new Map<number, { low: { t: number; v: number }; high: { t: number; v: number } }>();
  for (const p of inside) {
    const bucket = Math.min(buckets - 1, Math.floor(((p.t - start) / (end - start)) * buckets));
    const pair = kept.get(bucket) ?? { low: p, high: p };
    kept.set(bucket, { low: p.v < pair.low.v ? p : pair.low, high: p.v >= pair.high.v ? p : pair.high });
  }
  return [...kept.values()].flatMap(({ low, high }) => (low.t < high.t ? [low, high] : low.t > high.t ? [high, low] : [low]));
}
