// `window.__tinyobs`: what each card really gave to the chart library, for tests and the curious.
//
//   __tinyobs.version            1
//   __tinyobs.cards()            every card drawn now
//   __tinyobs.card(service, family)
//     → { service, family, drawing, unit, range, times: ms[], lines: [{ label, labels, values }] }
//
// Must hold: read-only, copies on every call, and taken from uPlot itself, not from what was meant
// to be drawn: a browser test that compares values here proves what is on the screen.
import type { Family } from "../derive/family.ts";
import type { Drawn } from "../state/feed.ts";

export interface CardDebug {
  readonly service: string;
  readonly family: string;
  readonly drawing: string;
  readonly unit: string;
  readonly range: string;
  readonly times: number[];
  readonly lines: { label: string; labels: Record<string, string>; values: (number | null)[] }[];
}

interface Entry {
  readonly family: Family;
  readonly drawn: () => Drawn;
  readonly given: () => readonly ArrayLike<number | null | undefined>[];
}

const entries = new Set<Entry>();

export function register(entry: Entry): () => void {
  entries.add(entry);
  return () => entries.delete(entry);
}

function copy({ family, drawn, given }: Entry): CardDebug {
  const [times, ...values] = given();
  const { data, range } = drawn();
  return {
    service: family.service,
    family: family.name,
    drawing: family.drawing,
    unit: data.unit,
    range: range.id,
    times: Array.from(times ?? [], Number),
    lines: data.lines.map((line, i) => ({
      label: line.label,
      labels: { ...line.labels },
      values: Array.from(values[i] ?? [], (value) => value ?? null),
    })),
  };
}

export interface TinyobsDebug {
  readonly version: 1;
  cards(): CardDebug[];
  card(service: string, family: string): CardDebug | null;
}

const debug: TinyobsDebug = Object.freeze({
  version: 1 as const,
  cards: () => [...entries].map(copy),
  card: (service: string, family: string) => {
    const entry = [...entries].find((e) => e.family.service === service && e.family.name === family);
    return entry ? copy(entry) : null;
  },
});

export function exposeDebug(): void {
  Object.defineProperty(window, "__tinyobs", { value: debug, writable: false, configurable: false });
}

declare global {
  interface Window {
    readonly __tinyobs: TinyobsDebug;
  }
}
