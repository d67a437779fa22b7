// One service: a section that folds, its cards, and its `process_*` metrics in a group of their own.
import { useId } from "preact/hooks";
import type { Family, Section } from "../../derive/family.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Card } from "./Card.tsx";
import { foldedServices, openProcessGroups } from "./folds.ts";

export function Service({ section }: { section: Section }) {
  const { service, families, process } = section;
  const id = useId();
  const open = !foldedServices.has(service);
  const processOpen = openProcessGroups.has(service);
  return (
    <section class="service" data-service={service} aria-labelledby={`${id}-title`}>
      <h2 class="service-title" id={`${id}-title`}>
        <Fold open={open} controls={`${id}-body`} onToggle={() => foldedServices.toggle(service)}>
          {service === "" ? <em>no service</em> : service}
        </Fold>
        <span class="badge">{metricCount(families.length + process.length)}</span>
      </h2>
      <div id={`${id}-body`} hidden={!open}>
        {open && families.length > 0 && <Grid families={families} />}
        {open && process.length > 0 && (
          <div class="process">
            <h3 class="process-title">
              <Fold open={processOpen} controls={`${id}-process`} onToggle={() => openProcessGroups.toggle(service)}>
                Process
              </Fold>
              <span class="badge">{metricCount(process.length)}</span>
              <span class="process-hint">memory, CPU, threads and files of the process itself</span>
            </h3>
            <div id={`${id}-process`} hidden={!processOpen}>
              {processOpen && <Grid families={process} />}
            </div>
          </div>
        )}
      </div>
    </section>
  );
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
