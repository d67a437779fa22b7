// Everything the dashboard asks of the server goes through `Api`.
//
//   views → state/live.ts → [api] → fetch → server
//
// Must hold: addresses are relative (a reverse proxy may add a path), a failed answer is an
// `ApiError` carrying the server's own message, and an abort stays recognisable (`isAbort`).
// The server's `Date` header tells how far this computer's clock is off; `serverNow` corrects it,
// since a wrong clock would otherwise push the newest samples off the chart's edge.
import type { Cardinality, Health, MetricDetail, RangeSeries, Stats, Storage } from "./types.ts";

/** `Date` has whole seconds and travels; a smaller difference is not a wrong clock. */
const CLOCK_SKEW_MS_MIN = 3_000;

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    message: string,
    /** The HTTP status, or 0 when no answer came at all. */
    readonly status: number,
  ) {
    super(message);
  }
}

export interface RangeQuery {
  /** Series that any of these selects. */
  readonly matches: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  readonly maxPoints: number;
}

export class Api {
  #clockOffsetMs = 0;

  constructor(
    private readonly base = "",
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** Now by the server's clock, in ms. */
  serverNow(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  async metrics(signal?: AbortSignal): Promise<readonly MetricDetail[]> {
    const body = await this.#get<{ details?: readonly MetricDetail[] }>("v1/metrics/list", {}, signal);
    return body.details ?? [];
  }

  stats(signal?: AbortSignal): Promise<Stats> {
    return this.#get("v1/stats", {}, signal);
  }

  storage(signal?: AbortSignal): Promise<Storage> {
    return this.#get("v1/storage", {}, signal);
  }

  cardinality(signal?: AbortSignal): Promise<Cardinality> {
    return this.#get("v1/cardinality", {}, signal);
  }

  /** An ill server says so with 503, and its answer is the one that matters. */
  health(signal?: AbortSignal): Promise<Health> {
    return this.#get("v1/health", {}, signal, [503]);
  }

  async range(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeSeries[]> {
    const params: [string, string][] = [
      ...query.matches.map((match): [string, string] => ["match[]", match]),
      ["start", String(Math.floor(query.startMs))],
      ["end", String(Math.ceil(query.endMs))],
      ["maxPoints", String(query.maxPoints)],
    ];
    const body = await this.#get<{ data?: readonly RangeSeries[] }>("v1/query/range", params, signal);
    return body.data ?? [];
  }

  async #get<T>(path: string, params: Record<string, string> | [string, string][], signal?: AbortSignal, alsoGood: readonly number[] = []): Promise<T> {
    const search = new URLSearchParams(params).toString();
    const url = `${this.base}${path}${search ? `?${search}` : ""}`;
    let response: Response;
    try {
      const init: RequestInit = { headers: { Accept: "application/json" } };
      if (signal) init.signal = signal;
      response = await this.fetcher(url, init);
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError("the server does not answer", 0);
    }
    this.#learnClock(response.headers.get("Date"));
    if (!response.ok && !alsoGood.includes(response.status)) throw new ApiError(await serverMessage(response), response.status);
    try {
      return (await response.json()) as T;
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError("the answer is not JSON", response.status);
    }
  }

  #learnClock(date: string | null): void {
    const serverMs = date === null ? Number.NaN : Date.parse(date);
    if (Number.isNaN(serverMs)) return;
    const offset = serverMs - Date.now();
    this.#clockOffsetMs = Math.abs(offset) > CLOCK_SKEW_MS_MIN ? offset : 0;
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

async function serverMessage(response: Response): Promise<string> {
  const fallback = `HTTP ${response.status}`;
  try {
    const body = (await response.json()) as { message?: unknown };
    return typeof body.message === "string" ? body.message : fallback;
  } catch {
    return fallback;
  }
}
