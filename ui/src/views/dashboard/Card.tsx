// A card: one family's headline, chart or table, and legend.
//
//   Service → [Card] → useFeed (data) → Chart | DataTable, Legend, LargeView
//
// Must hold: the card keeps its size whatever it shows (loading, chart, table, message), so the page
// does not jump; old data stays when a refresh fails, marked stale.
import { Fragment } from "preact";
import { useSignal } from "@preact/signals";
import { useId, useRef, useState } from "preact/hooks";
import type { Plot } from "../../chart/plot.ts";
import type { Family } from "../../derive/family.ts";
import type { Drawn } from "../../state/feed.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Chart } from "./Chart.tsx";
import { DataTable } from "./DataTable.tsx";
import { LargeView } from "./LargeView.tsx";
import { Legend } from "./Legend.tsx";
import { headline, notDrawn, windowTitle } from "./readout.ts";
import { useFeed } from "./useFeed.ts";
import { Windows } from "./Windows.tsx";

const TABLE_ROWS_MAX = 60;

export function Card({ family }: { family: Family }) {
  const { feed, host } = useFeed(family);
  const id = useId();
  const [asTable, setAsTable] = useState(false);
  const [large, setLarge] = useState(false);
  const cursor = useSignal<number | null>(null);
  const plotRef = useRef<Plot | null>(null);
  const drawn = feed.drawn.value;
  const problem = feed.problem.value;
  const usable = drawn !== null && hasValues(drawn);
  return (
    <article
      ref={host}
      class="card"
      data-family={family.name}
      data-service={family.service}
      aria-labelledby={id}
      aria-busy={drawn === null && problem === null}
    >
      <header class="card-head">
        <h3 id={id} title={[family.name, family.help].filter(Boolean).join(": ")}>
          <Name text={family.name} />
        </h3>
        <div class="card-tools">
          <button
            type="button"
            class="icon-button small"
            aria-label={`${family.name} as a table`}
            aria-pressed={asTable}
            title={asTable ? "Show the chart" : "Show as a table"}
            disabled={!usable}
            onClick={() => setAsTable(!asTable)}
          >
            <Icon name={asTable ? "chart" : "table"} />
          </button>
          <button
            type="button"
            class="icon-button small"
            aria-label={`${family.name} large`}
            title="Open large (Enter)"
            disabled={!usable}
            onClick={() => setLarge(true)}
          >
            <Icon name="expand" />
          </button>
        </div>
        <p class="card-sub" title={drawn?.data.subtitle}>
          <span class="card-how">{drawn ? drawn.data.subtitle : " "}</span>
          {drawn && <Windows coverage={drawn.data.coverage} />}
          {problem !== null && drawn !== null && (
            <span class="stale" title={problem}>
              stale
            </span>
          )}
        </p>
        {usable && <Headline drawn={drawn} />}
      </header>
      <div class="card-body">
        {!usable && <Placeholder drawn={drawn} problem={problem} />}
        {usable && asTable && <DataTable name={family.name} drawn={drawn} rowsMax={TABLE_ROWS_MAX} />}
        {usable && !asTable && (
          <Chart family={family} drawn={drawn} cursor={cursor} plotRef={plotRef} onOpen={() => setLarge(true)} listed />
        )}
      </div>
      {usable ? <Legend drawn={drawn} cursor={cursor} plotRef={plotRef} /> : <div class="legend" />}
      {large && usable && <LargeView family={family} drawn={drawn} onClose={() => setLarge(false)} />}
    </article>
  );
}

/** A long name wraps where its words end. */
function Name({ text }: { text: string }) {
  return text.split(/(?<=[_:])(?=[^_:])/).map((word, i) => (
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {word}
    </Fragment>
  ));
}

function Headline({ drawn }: { drawn: Drawn }) {
  const head = headline(drawn.data, drawn.grid.nowMs);
  if (head === null) return null;
  return (
    <p class={head.ended === undefined ? "headline" : "headline ended"} title={head.ended ?? head.date}>
      {head.of && <span class="headline-of">{head.of}</span>} {head.value}
    </p>
  );
}

interface PlaceholderProps {
  readonly drawn: Drawn | null;
  readonly problem: string | null;
}

/** What stands where the chart will be. */
function Placeholder({ drawn, problem }: PlaceholderProps) {
  if (drawn === null && problem === null) return <div class="skeleton skeleton-chart" />;
  if (drawn === null) {
    return (
      <p class="card-message">
        <strong>Could not load</strong>
        {problem}
      </p>
    );
  }
  const { newest } = drawn.data;
  if (newest === null) {
    return (
      <p class="card-message">
        <strong>No samples</strong>
        {windowTitle(drawn)}
      </p>
    );
  }
  const { title, text } = notDrawn(drawn, newest, windowTitle(drawn));
  return (
    <p class="card-message">
      <strong>{title}</strong>
      {text}
    </p>
  );
}

function hasValues({ data }: Drawn): boolean {
  return data.lines.some((line) => line.values.some((value) => typeof value === "number")) || hasHeat({ data });
}

function hasHeat({ data }: Pick<Drawn, "data">): boolean {
  return data.heat?.cells.some((cells) => cells?.some((count) => count > 0)) ?? false;
}
