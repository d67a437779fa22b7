// One service: a section that folds, its cards, and what every process has in a group of its own.
import { useId } from "preact/hooks";
import { PROCESS_PREFIX, SDK_PREFIX, UP, type Family, type Section } from "../../derive/family.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Card } from "./Card.tsx";
import { foldedServices, openBackgrounds } from "./folds.ts";

export function Service({ section }: { section: Section }) {
  const { service, families, background } = section;
  const id = useId();
  const open = !foldedServices.has(service);
  const backgroundOpen = openBackgrounds.has(service);
  return (
    <section class="service" data-service={service} aria-labelledby={`${id}-title`}>
      <h2 class="service-title" id={`${id}-title`}>
        <Fold open={open} controls={`${id}-body`} onToggle={() => foldedServices.toggle(service)}>
          {service === "" ? <em>no service</em> : service}
        </Fold>
        <span class="badge">{metricCount(families.length + background.length)}</span>
      </h2>
      <div id={`${id}-body`} hidden={!open}>
        {open && families.length > 0 && <Grid families={families} />}
        {open && background.length > 0 && (
          <div class="background">
            <h3 class="background-title">
              <Fold open={backgroundOpen} controls={`${id}-background`} onToggle={() => openBackgrounds.toggle(service)}>
                {backgroundTitle(background)}
              </Fold>
              <span class="badge">{metricCount(background.length)}</span>
              <span class="background-hint">{backgroundHint(background)}</span>
            </h3>
            <div id={`${id}-background`} hidden={!backgroundOpen}>
              {backgroundOpen && <Grid families={background} />}
            </div>
          </div>
        )}
      </div>
    </section>
  );
}

const PARTS = [
  { prefix: PROCESS_PREFIX, title: "Process", hint: "memory, CPU, threads and files" },
  { prefix: SDK_PREFIX, title: "SDK", hint: "pushes and what became of them" },
  { prefix: UP, title: "Up", hint: "who pushes" },
] as const;

function partsOf(background: readonly Family[]) {
  return PARTS.filter(({ prefix }) => background.some((family) => family.name.startsWith(prefix)));
}

function backgroundTitle(background: readonly Family[]): string {
  return partsOf(background).map((part) => part.title).join(" & ");
}

function backgroundHint(background: readonly Family[]): string {
  return partsOf(background).map((part) => part.hint).join("; ");
}

function Grid({ families }: { families: readonly Family[] }) {
  return (
    <div class="grid">
      {families.map((family) => (
        // Whatever the server learns about a metric later, its unit say, makes a new card.
        <Card key={JSON.stringify(family)} family={family} />
      ))}
    </div>
  );
}

interface FoldProps {
  readonly open: boolean;
  readonly controls: string;
  readonly onToggle: () => void;
  readonly children: preact.ComponentChildren;
}

function Fold({ open, controls, onToggle, children }: FoldProps) {
  return (
    <button type="button" class="fold" aria-expanded={open} aria-controls={controls} onClick={onToggle}>
      <Icon name="chevron" />
      <span class="fold-name">{children}</span>
    </button>
  );
}

function metricCount(n: number): string {
  return `${n} ${n === 1 ? "metric" : "metrics"}`;
}
