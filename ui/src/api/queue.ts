// Runs at most `limit` requests at once, the most urgent first.
//
// Must hold: never more than `limit` running; equal urgency is first come, first served; an aborted
// entry leaves the queue without having run; a failing task frees its place.

interface Entry {
  readonly urgency: number;
  readonly start: () => void;
}

/** Four leaves a browser's six connections per host two free for the header's numbers. */
export const PARALLEL_REQUESTS_MAX = 4;

export class RequestQueue {
  #running = 0;
  #waiting: Entry[] = [];

  constructor(private readonly limit = PARALLEL_REQUESTS_MAX) {}

  run<T>(urgency: number, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Entry = {
        urgency,
        start: () => {
          signal?.removeEventListener("abort", onAbort);
          this.#running += 1;
          task().then(resolve, reject).finally(() => {
            this.#running -= 1;
            this.#next();
          });
        },
      };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(new DOMException("aborted", "AbortError"));
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(entry);
      this.#next();
    });
  }

  #next(): void {
    if (this.#running >= this.limit) return;
    const best = this.#waiting.reduce<Entry | undefined>(
      (top, entry) => (top === undefined || entry.urgency > top.urgency ? entry : top),
      undefined,
    );
    if (best === undefined) return;
    this.#waiting = this.#waiting.filter((entry) => entry !== best);
    best.start();
  }
}
