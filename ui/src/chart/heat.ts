// The heat band: how many observations fell into each bucket, drawn behind the quantile lines.
//
// Must hold: a cell's opacity depends on its count relative to the largest cell shown, by square root
// (a linear ramp hides everything but the peak); an empty cell draws nothing.
import type uPlot from "uplot";
import type { Heat } from "../derive/drawing.ts";
import type { Ladder } from "./ladder.ts";

const ALPHA_MIN = 0.1;
const ALPHA_MAX = 0.78;

export function drawHeat(
  u: uPlot,
  heat: Heat,
  ladder: Ladder,
  times: readonly number[],
  stepMs: number,
  colour: string,
): void {
  const max = heat.cells.reduce((top, cells) => Math.max(top, ...(cells ?? [0])), 0);
  if (max <= 0) return;
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colour;
  const ys = ladder.edges.map((edge) => Math.round(u.valToPos(edge, "y", true)));
  heat.cells.forEach((cells, bin) => {
    if (cells === null) return;
    const end = times[bin] as number;
    const left = Math.round(u.valToPos(end - stepMs, "x", true));
    const right = Math.round(u.valToPos(end, "x", true));
    for (let rung = 0; rung + 1 < ys.length; rung += 1) {
      const count = cells[ladder.firstBucket + rung] ?? 0;
      if (count <= 0) continue;
      const top = ys[rung + 1] as number;
      ctx.globalAlpha = ALPHA_MIN + (ALPHA_MAX - ALPHA_MIN) * Math.sqrt(count / max);
      ctx.fillRect(left, top, Math.max(1, right - left), (ys[rung] as number) - top);
    }
  });
  ctx.restore();
}
