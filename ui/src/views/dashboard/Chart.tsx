// A chart: the canvas, its keyboard and what a screen reader hears.
//
// Must hold: the element is one tab stop; arrows move the shared cursor and the readout is spoken;
// nothing inside is focusable (an image has no children for assistive technology).
import { computed, type Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Plot } from "../../chart/plot.ts";
import { readPalette } from "../../chart/palette.ts";
import { register } from "../../debug/registry.ts";
import type { Family } from "../../derive/family.ts";
import { firstAtOrAfter } from "../../derive/track.ts";
import { windowsBadge } from "../../format/resolution.ts";
import type { Drawn } from "../../state/feed.ts";
import { theme } from "../../state/theme.ts";
import { spoken, windowTitle } from "./readout.ts";

/** One object per theme: a plot is rebuilt when it changes. */
const palette = computed(() => {
  void theme.value;
  return readPalette(document.documentElement);
});

interface Props {
  readonly family: Family;
  readonly drawn: Drawn;
  readonly cursor: Signal<number | null>;
  readonly plotRef: { current: Plot | null };
  readonly onOpen?: () => void;
  /** Whether this is the card's own chart, which `window.__tinyobs` shows. */
  readonly listed: boolean;
}

export function Chart({ family, drawn, cursor, plotRef, onOpen, listed }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(drawn);
  latest.current = drawn;
  const [said, setSaid] = useState("");
  const colours = palette.value;

  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const plot = new Plot(element, latest.current, colours, (timeMs) => (cursor.value = timeMs));
    plotRef.current = plot;
    const resizes = new ResizeObserver(() => plot.resize());
    resizes.observe(element);
    const unregister = listed
      ? register({ family, drawn: () => latest.current, given: () => plot.given() as never })
      : undefined;
    return () => {
      unregister?.();
      resizes.disconnect();
      plot.destroy();
      plotRef.current = null;
      cursor.value = null;
    };
  }, []);
  useEffect(() => plotRef.current?.update(drawn, colours), [drawn, colours]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && onOpen) {
      event.preventDefault();
      return onOpen();
    }
    const { times } = drawn.data;
    const next = nextIndex(event.key, cursor.value === null ? null : nearest(times, cursor.value), times.length);
    const time = next === null ? undefined : times[next];
    if (next === null || time === undefined) return;
    event.preventDefault();
    plotRef.current?.moveTo(next);
    // Exactly the sample's time, where the crosshair has a pixel's.
    cursor.value = time;
    setSaid(spoken(drawn, time));
  };
  return (
    <>
      <div
        ref={host}
        class="chart"
        role="img"
        tabIndex={0}
        aria-label={[family.name, drawn.data.subtitle, windowTitle(drawn), windowsBadge(drawn.data.coverage), spoken(drawn, null)].filter(Boolean).join(", ")}
        onKeyDown={onKeyDown}
        onBlur={() => plotRef.current?.clearCursor()}
        onClick={(event) => {
          // A finger on the chart reads values; only a mouse opens the large view.
          if ((event as unknown as PointerEvent).pointerType === "mouse") onOpen?.();
        }}
      />
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
    </>
  );
}

function nearest(times: readonly number[], timeMs: number): number {
  const after = firstAtOrAfter(times, timeMs);
  const before = after - 1;
  const distance = (i: number): number => Math.abs((times[i] ?? Number.POSITIVE_INFINITY) - timeMs);
  return distance(before) < distance(after) ? before : after;
}

function nextIndex(key: string, now: number | null, length: number): number | null {
  const last = length - 1;
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, (now ?? length) - 1);
    case "ArrowRight":
      return Math.min(last, (now ?? last - 1) + 1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
