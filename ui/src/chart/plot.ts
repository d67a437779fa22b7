// Plot: one uPlot, made from a drawing and kept up to date without being rebuilt.
//
//   derive/drawing.ts → [plot] → uPlot → canvas
//                          └──▶ debug/registry.ts (exactly what uPlot was given)
//
// Must hold:
// H-1  uPlot gets the drawing's own columns; nothing is computed here but scales and colours.
// H-2  Same lines → `setData` on the same canvas (no flicker); other lines or theme → a new uPlot.
// H-3  All plots share one cursor in time (`SYNC_KEY`), whatever their x values are.
import uPlot from "uplot";
import { axisFormat, formatValue } from "../format/number.ts";
import { timeTicks } from "../format/time.ts";
import { gridEnd, gridStart } from "../derive/grid.ts";
import type { DrawnLine } from "../derive/drawing.ts";
import type { Drawn } from "../state/feed.ts";
import { CursorTime } from "./cursorTime.ts";
import { drawHeat } from "./heat.ts";
import { ladderFor, ladderTicks, position, valueAt, type Ladder } from "./ladder.ts";
import type { Palette } from "./palette.ts";
import { dotted } from "./points.ts";
import { tickSteps, TIME_STEPS_MS, yRange } from "./yscale.ts";

const SYNC_KEY = "tinyobs";
const AXIS_FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const TICK_PX_MIN = 34;
const LADDER_TICK_PX_MIN = 22;
const Y_AXIS_PX = 54;
const AXIS_CHAR_PX = 6.2;
const AXIS_GAP_PX = 6;
const X_AXIS_PX = 22;
const X_TICK_PX = 84;
/** A phone has room for 04:12 only. */
const X_TICK_PX_MIN = 58;
const NARROW_PX = 560;
const FILL_ALPHA = 0.14;
const DOT_PX = 6;

export class Plot {
  #u: uPlot;
  #drawn: Drawn;
  #ladder: Ladder | null;
  #time: CursorTime | undefined;
  #hidden = new Set<string>();

  constructor(
    private readonly host: HTMLElement,
    drawn: Drawn,
    private palette: Palette,
    private readonly onCursor: (timeMs: number | null) => void,
  ) {
    this.#drawn = drawn;
    this.#ladder = drawn.data.heat && ladderFor(drawn.data.heat);
    this.#u = this.#create();
  }

  update(drawn: Drawn, palette: Palette): void {
    const same = signature(drawn) === signature(this.#drawn) && palette === this.palette;
    this.#drawn = drawn;
    this.#ladder = drawn.data.heat && ladderFor(drawn.data.heat);
    this.palette = palette;
    if (same) {
      this.#u.setData(columns(drawn), true);
      return;
    }
    this.#u.destroy();
    this.#u = this.#create();
  }

  resize(): void {
    const { width, height } = this.#size();
    if (width > 0 && (width !== this.#u.width || height !== this.#u.height)) this.#u.setSize({ width, height });
  }

  /** Moves the shared cursor to a column of the data. */
  moveTo(index: number): void {
    const t = this.#drawn.data.times[index];
    if (t === undefined) return;
    const left = this.#u.valToPos(t, "x");
    this.#setCursor(left, this.#u.over.clientHeight / 2);
  }

  clearCursor(): void {
    this.#setCursor(-10, -10);
  }

  show(key: string, visible: boolean): void {
    if (visible) this.#hidden.delete(key);
    else this.#hidden.add(key);
    const index = this.#drawn.data.lines.findIndex((line) => line.key === key);
    if (index >= 0) this.#u.setSeries(index + 1, { show: visible });
  }

  /** Dims the other lines; null ends it. */
  highlight(key: string | null): void {
    const index = this.#drawn.data.lines.findIndex((line) => line.key === key);
    this.#u.setSeries(index >= 0 ? index + 1 : null, { focus: true });
  }

  /** Exactly what uPlot holds. */
  given(): uPlot.AlignedData {
    return this.#u.data;
  }

  destroy(): void {
    this.#u.destroy();
  }

  #setCursor(left: number, top: number): void {
    // The third argument tells the other charts; uPlot's types do not know it.
    type SetCursor = (at: { left: number; top: number }, fire: boolean, publish: boolean) => void;
    (this.#u.setCursor as SetCursor)({ left, top }, true, true);
  }

  #size(): { width: number; height: number } {
    return { width: this.host.clientWidth, height: this.host.clientHeight };
  }

  #create(): uPlot {
    const { data } = this.#drawn;
    const options: uPlot.Options = {
      ...this.#size(),
      ms: 1,
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: SYNC_KEY, setSeries: false, scales: ["x", null] },
        drag: { x: false, y: false },
        points: { size: 7, width: 1.5, fill: this.palette.card },
        y: false,
        bind: { dblclick: () => null },
      },
      focus: { alpha: 0.2 },
      scales: {
        x: { time: true, range: () => [gridStart(this.#drawn.grid), gridEnd(this.#drawn.grid)] },
        y: this.#yScale(),
      },
      axes: [this.#xAxis(), this.#yAxis()],
      series: [{}, ...data.lines.map((line) => this.#series(line))],
      hooks: {
        drawClear: [(u) => this.#drawHeat(u)],
        setCursor: [
          (u) => {
            const timeMs = cursorTime(u);
            this.#time?.show(timeMs, gridEnd(this.#drawn.grid) - gridStart(this.#drawn.grid));
            this.onCursor(timeMs);
          },
        ],
      },
    };
    const u = new uPlot(options, columns(this.#drawn), this.host);
    this.#time = new CursorTime(u);
    return u;
  }

  #series(line: DrawnLine): uPlot.Series {
    const stroke = typeof line.colour === "number" ? this.palette.lines[line.colour] : this.palette.quantiles[line.colour];
    const alone = this.#drawn.data.lines.length === 1;
    return {
      label: line.label,
      stroke: stroke ?? this.palette.axis,
      width: 1.5,
      show: !this.#hidden.has(line.key),
      ...(alone ? { fill: (u: uPlot) => fade(u, stroke ?? this.palette.axis) } : {}),
      points: { show: true, size: DOT_PX, width: 0, fill: stroke ?? this.palette.axis, filter: dots },
    };
  }

  #yScale(): uPlot.Scale {
    if (this.#ladder === null) {
      return { range: (_u, min, max) => yRange(min, max, this.#drawn.data.fromZero) };
    }
    const ladder = (): Ladder => this.#ladder as Ladder;
    return {
      distr: 100 as uPlot.Scale.Distr,
      fwd: (value) => position(ladder(), value),
      bwd: (rung) => valueAt(ladder(), rung),
      range: () => [ladder().edges[0] ?? 0, ladder().edges.at(-1) ?? 1],
    };
  }

  #xAxis(): uPlot.Axis {
    return {
      ...this.#axisLook(),
      size: X_AXIS_PX,
      space: (u) => (u.width < NARROW_PX ? X_TICK_PX_MIN : X_TICK_PX),
      incrs: [...TIME_STEPS_MS],
      grid: { show: false },
      values: (_u, splits, _axis, _space, incr) => timeTicks(splits, incr),
    };
  }

  #yAxis(): uPlot.Axis {
    const { unit } = this.#drawn.data;
    const steps = tickSteps(unit);
    return {
      ...this.#axisLook(),
      size: yAxisWidth,
      space: TICK_PX_MIN,
      values: (_u, splits) => axisFormat(splits, unit),
      ...(steps === undefined ? {} : { incrs: steps }),
      ...(this.#ladder === null
        ? {}
        : {
            // uPlot would keep powers of ten only, as on a logarithmic axis.
            filter: (_u, splits) => splits,
            // Bounds span decades: each tick has its own scale.
            values: (_u, splits) => splits.map((tick) => (tick === 0 ? "0" : formatValue(tick, unit))),
            splits: (u) => ladderTicks(this.#ladder as Ladder, (u.height - X_AXIS_PX) / LADDER_TICK_PX_MIN),
          }),
    };
  }

  #axisLook(): uPlot.Axis {
    return {
      stroke: this.palette.axis,
      font: AXIS_FONT,
      gap: AXIS_GAP_PX,
      ticks: { show: false },
      grid: { stroke: this.palette.grid, width: 1 },
    };
  }

  #drawHeat(u: uPlot): void {
    const { data, grid } = this.#drawn;
    if (data.heat === null || this.#ladder === null) return;
    drawHeat(u, data.heat, this.#ladder, data.times, grid.stepMs, this.palette.heat);
  }
}

/** Where the crosshair is, also between samples; null when it is not on the chart. */
function cursorTime(u: uPlot): number | null {
  const left = u.cursor.left ?? -1;
  return left < 0 ? null : u.posToVal(left, "x");
}

function columns({ data }: Drawn): uPlot.AlignedData {
  return [data.times, ...data.lines.map((line) => line.values)] as unknown as uPlot.AlignedData;
}

/** What forces a new uPlot when it changes. */
function signature({ data }: Drawn): string {
  return JSON.stringify([data.unit, data.heat !== null, data.lines.map((line) => [line.key, line.colour])]);
}

function dots(u: uPlot, seriesIndex: number): number[] {
  const values = u.data[seriesIndex] as readonly (number | null | undefined)[];
  return dotted(values, (i) => u.valToPos(u.data[0][i] as number, "x"));
}

/** Digits that tell ticks apart may be many. */
function yAxisWidth(_u: uPlot, texts: readonly string[] | null): number {
  const longest = Math.max(0, ...(texts ?? []).map((text) => text.length));
  return Math.max(Y_AXIS_PX, Math.ceil(longest * AXIS_CHAR_PX) + AXIS_GAP_PX);
}

function fade(u: uPlot, colour: string): CanvasGradient | string {
  const { top, height } = u.bbox;
  if (!Number.isFinite(top + height)) return "transparent";
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, withAlpha(colour, FILL_ALPHA));
  gradient.addColorStop(1, withAlpha(colour, 0));
  return gradient;
}

/** `#rrggbb` with an alpha; the tokens are written so. */
function withAlpha(hex: string, alpha: number): string {
  return `${hex}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`;
}
