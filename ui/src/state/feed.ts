// Feed: one card's data, loaded once and then kept up to date by its newest part only.
//
//   view (visible, beat, range) → [feed] → queue → api.range → tracks → derive/drawing.ts → card
//
// Must hold:
// C-1  At most one request per feed; a new range aborts the one under way.
// C-2  What is drawn stays until something newer is there: an error sets `problem`, nothing else.
// C-3  A refresh asks from OVERLAP before the last answer on; late samples older than that come with
//      the next full load, at the latest FULL_LOAD_MS_MAX after the last. When the window grows to the
//      left (someone pushed older data), everything is asked for at once.
// C-4  Between two full loads bins only get wider: a clock that hesitates does not make lines shimmer.
// C-5  Where windows answer, the newest minutes are asked for a second time, as samples: thinned windows
//      do not tell when the last push was, which decides between a value of now and one of a series that ended.
import { signal } from "@preact/signals";
import { isAbort, type Api } from "../api/client.ts";
import type { RequestQueue } from "../api/queue.ts";
import { draw, type DrawingData } from "../derive/drawing.ts";
import type { Family } from "../derive/family.ts";
import { gridFrom, type Grid } from "../derive/grid.ts";
import { serviceSelectors } from "../derive/service.ts";
import { mergeTracks, toTrack, type Track } from "../derive/track.ts";
import { asksForWindows, pointsFor, stepFor, windowFor, type TimeWindow } from "../derive/window.ts";
import type { Range } from "./ranges.ts";

const OVERLAP_MS = 60_000;
const FULL_LOAD_MS_MAX = 15 * 60_000;
/** A line needs one sample more than bins: the one before the window, for its first rate. */
const LEAD_STEPS = 2;
/** As much as refreshes bring until everything is asked for anew. */
const TAIL_MS = FULL_LOAD_MS_MAX;

export interface Drawn {
  readonly range: Range;
  /** The window begins with the data: they are younger than the range. */
  readonly young: boolean;
  readonly grid: Grid;
  readonly data: DrawingData;
}

export class Feed {
  readonly drawn = signal<Drawn | null>(null);
  readonly problem = signal<string | null>(null);
  readonly loading = signal(false);

  #tracks: readonly Track[] = [];
  #range: Range | null = null;
  #askedFrom = 0;
  #askedTo = 0;
  #stepMs = 0;
  #fullAt = Number.NEGATIVE_INFINITY;
  /** Keys of the lines drawn last; a refresh keeps them, `load` chooses anew. */
  #shown: ReadonlySet<string> | undefined;
  #abort: AbortController | null = null;

  constructor(
    readonly family: Family,
    private readonly api: Api,
    private readonly queue: RequestQueue,
    /** When the store's oldest sample was taken, null while that is not known. */
    private readonly oldestMs: () => number | null,
  ) {}

  /** Loads everything for `range`; whatever was under way for another range is given up. */
  load(range: Range, urgency: number, widthPx: number): Promise<void> {
    this.stop();
    this.#range = range;
    this.#fullAt = Number.NEGATIVE_INFINITY;
    this.#shown = undefined;
    return this.#fetch(range, urgency, widthPx);
  }

  /** Brings the drawing up to date, unless a request is under way already. */
  async refresh(urgency: number, widthPx: number): Promise<void> {
    if (this.#abort !== null || this.#range === null) return;
    await this.#fetch(this.#range, urgency, widthPx);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.loading.value = false;
  }

  async #fetch(range: Range, urgency: number, widthPx: number): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.loading.value = true;
    try {
      await this.queue.run(urgency, () => this.#ask(range, widthPx, abort.signal), abort.signal);
      if (this.#abort === abort) this.problem.value = null;
    } catch (error) {
      if (!isAbort(error)) this.problem.value = error instanceof Error ? error.message : String(error);
    } finally {
      if (this.#abort === abort) {
        this.#abort = null;
        this.loading.value = false;
      }
    }
  }

  async #ask(range: Range, widthPx: number, signalOff: AbortSignal): Promise<void> {
    const window = windowFor(this.api.serverNow(), range, this.oldestMs());
    const { nowMs } = window;
    const leadMs = LEAD_STEPS * window.stepMs;
    const tooOld = nowMs - this.#fullAt > Math.min(20 * range.stepMs, FULL_LOAD_MS_MAX);
    const full = tooOld || window.startMs < this.#askedFrom;
    const keptMs = window.startMs - leadMs;
    const startMs = full ? keptMs : Math.max(keptMs, this.#askedTo - OVERLAP_MS);
    const matches = serviceSelectors(this.family.metric, this.family.service);
    const endMs = Math.ceil(nowMs / window.stepMs) * window.stepMs;
    const maxPoints = pointsFor(endMs - startMs, window.stepMs, widthPx);
    const tailMs = nowMs - TAIL_MS;
    const answer = await this.api.range({ matches, startMs, endMs, maxPoints }, signalOff);
    if (signalOff.aborted) return;
    const twice = full && asksForWindows(window.stepMs);
    const tail = twice ? await this.api.range({ matches, startMs: tailMs, endMs, maxPoints }, signalOff) : null;
    if (signalOff.aborted) return;

    const fresh = answer.map(toTrack);
    const whole = tail === null ? fresh : mergeTracks(fresh, tail.map(toTrack), tailMs, keptMs); // C-5
    this.#tracks = full ? whole : mergeTracks(this.#tracks, fresh, startMs, keptMs);
    this.#askedTo = nowMs;
    if (full) {
      this.#fullAt = nowMs;
      this.#askedFrom = window.startMs;
      this.#stepMs = 0;
    }
    this.#draw(range, window);
  }

  #draw(range: Range, window: TimeWindow): void {
    this.#stepMs = Math.max(this.#stepMs, stepFor(this.#tracks, window, range.stepMs)); // C-4
    const grid = gridFrom(window.startMs, window.nowMs, this.#stepMs);
    const data = draw(this.family, this.#tracks, grid, this.#shown);
    this.#shown = new Set(data.lines.map((line) => line.key));
    this.drawn.value = { range, young: window.young, grid, data };
  }
}
