// The Storage view: how much is kept, for how long, how maintenance does, and where the series come from.
//
//   state/live.ts storage, state/status.ts health + cardinality → [StorageView] → Disk, Maintenance, Series
import type { ComponentChildren } from "preact";
import { useEffect, useId } from "preact/hooks";
import { api, connection, storage } from "../../state/live.ts";
import { cardinality, health, watch } from "../../state/status.ts";
import { Disk } from "./Disk.tsx";
import { Maintenance } from "./Maintenance.tsx";
import { Series } from "./Series.tsx";

export function StorageView() {
  useEffect(watch, []);
  return (
    <div class="storage">
      {connection.value === "reconnecting" && (
        <p class="stale-bar">The server does not answer. What you see is the last that was received.</p>
      )}
      <Panel name="disk" title="Disk">{storage.value && <Disk info={storage.value} />}</Panel>
      <Panel name="maintenance" title="Maintenance">
        {health.value && <Maintenance health={health.value} nowMs={api.serverNow()} />}
      </Panel>
      <Panel name="series" title="Series">{cardinality.value && <Series info={cardinality.value} nowMs={api.serverNow()} />}</Panel>
    </div>
  );
}

function Panel({ name, title, children }: { name: string; title: string; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class={`panel panel-${name}`} aria-labelledby={id} aria-busy={!children}>
      <h2 id={id}>{title}</h2>
      {children || <div class="skeleton skeleton-chart" />}
    </section>
  );
}
