// Ties a card's feed to the page: loads it when the range changes, refreshes it on each beat while the
// card can be seen, and gives its request up when the card goes.
//
// Must hold: a card keeps its family for life (its key is the family's content); visible cards are asked
// for first; a card outside the screen loads once and then rests.
import { useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Family } from "../../derive/family.ts";
import { Feed } from "../../state/feed.ts";
import { api, beat, oldestMs, queue, reloads } from "../../state/live.ts";
import { range } from "../../state/range.ts";

const URGENT = 2;
const LATER = 1;
/** Cards this far below the fold count as visible, so that scrolling finds them ready. */
const NEAR = "240px";

export function useFeed(family: Family): { feed: Feed; host: RefObject<HTMLElement | null> } {
  const host = useRef<HTMLElement>(null);
  const feed = useMemo(() => new Feed(family, api, queue, () => oldestMs.peek()), []);
  const visible = useVisible(host);
  const width = (): number => host.current?.clientWidth ?? 0;

  useSignalEffect(() => {
    const chosen = range.value;
    void reloads.value;
    void feed.load(chosen, visible.peek() ? URGENT : LATER, width());
  });
  useSignalEffect(() => {
    if (beat.value === 0 || !visible.value) return;
    void feed.refresh(URGENT, width());
  });
  useEffect(() => () => feed.stop(), [feed]);
  return { feed, host };
}

function useVisible(host: RefObject<HTMLElement | null>): ReadonlySignal<boolean> {
  const visible = useSignal(false);
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        visible.value = entries.at(-1)?.isIntersecting ?? false;
      },
      { rootMargin: NEAR },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return visible;
}
