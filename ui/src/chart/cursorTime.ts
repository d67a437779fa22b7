// The label under the crosshair that says its time.
//
// An element of its own rather than a place in the legend: there it would come and go, and a legend that
// wraps makes the page jump under the mouse.
import type uPlot from "uplot";
import { clock, moment } from "../format/time.ts";

/** From here on the clock alone does not say which day. */
const DAY_NEEDED_MS = 24 * 3_600_000;

export class CursorTime {
  readonly #label = document.createElement("div");

  constructor(private readonly u: uPlot) {
    this.#label.className = "chart-time";
    this.#label.hidden = true;
    u.over.append(this.#label);
  }

  /** Shows the time under the crosshair, kept inside the plot; null hides it. */
  show(timeMs: number | null, spanMs: number): void {
    this.#label.hidden = timeMs === null;
    if (timeMs === null) return;
    this.#label.textContent = spanMs >= DAY_NEEDED_MS ? moment(timeMs).slice(0, -3) : clock(timeMs);
    const half = this.#label.offsetWidth / 2;
    const left = Math.min(Math.max(this.u.valToPos(timeMs, "x"), half), this.u.over.clientWidth - half);
    this.#label.style.transform = `translateX(${left - half}px)`;
  }
}
