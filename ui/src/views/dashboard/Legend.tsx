// The legend: which colour is which line, its value at the cursor or the newest, and a switch for each.
import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { colourClass } from "../../chart/palette.ts";
import type { Plot } from "../../chart/plot.ts";
import type { DrawingData } from "../../derive/drawing.ts";
import { fullLabels } from "../../format/label.ts";
import type { Drawn } from "../../state/feed.ts";
import { formatLength } from "../../format/number.ts";
import { endedAt, spread, textAt } from "./readout.ts";

interface Props {
  readonly drawn: Drawn;
  readonly cursor: Signal<number | null>;
  readonly plotRef: { current: Plot | null };
}

export function Legend({ drawn, cursor, plotRef }: Props) {
  const { data } = drawn;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const time = cursor.value;
  const toggle = (key: string): void => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
    plotRef.current?.show(key, !next.has(key));
  };
  return (
    <div class="legend">
      {data.lines.map((line) => (
        <button
          key={line.key}
          type="button"
          class="legend-item"
          aria-pressed={!hidden.has(line.key)}
          title={line.alive ? fullLabels(line.labels) : `${fullLabels(line.labels)} ${endedAt(line.lastMs, drawn.grid.nowMs)}`}
          onClick={() => toggle(line.key)}
          onPointerEnter={() => plotRef.current?.highlight(line.key)}
          onPointerLeave={() => plotRef.current?.highlight(null)}
        >
          <span class={`swatch ${colourClass(line.colour)}`} aria-hidden="true" />
          <span class="legend-name">{line.label}</span>
          {(time !== null || data.lines.length > 1) && (
            <span class={line.alive || time !== null ? "legend-value" : "legend-value ended"}>{textAt(drawn, line, time)}</span>
          )}
        </button>
      ))}
      {time === null && data.lines.length === 1 && <Spread data={data} />}
      {data.more > 0 && (
        <span class="legend-more" title="Those with the largest last values are drawn.">
          +{data.more} more
        </span>
      )}
    </div>
  );
}

/** A single line's newest value is the headline already: its range says more. */
function Spread({ data }: { data: DrawingData }) {
  const known = spread(data.lines[0]?.values ?? []);
  if (known === null) return null;
  return (
    <span class="legend-more">
      {(["min", "mean", "max"] as const).map((name) => (
        <span key={name} class="legend-stat">
          {name} <span class="legend-value">{formatLength(known[name], data.unit)}</span>
        </span>
      ))}
    </span>
  );
}
