// The large view of a card: the same data, bigger, with its whole table below.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Plot } from "../../chart/plot.ts";
import type { Family } from "../../derive/family.ts";
import { windowsBadge } from "../../format/resolution.ts";
import type { Drawn } from "../../state/feed.ts";
import { Dialog } from "../../ui/Dialog.tsx";
import { Chart } from "./Chart.tsx";
import { DataTable } from "./DataTable.tsx";
import { Legend } from "./Legend.tsx";
import { windowTitle } from "./readout.ts";

const TABLE_ROWS_MAX = 1_000;

interface Props {
  readonly family: Family;
  readonly drawn: Drawn;
  readonly onClose: () => void;
}

export function LargeView({ family, drawn, onClose }: Props) {
  const cursor = useSignal<number | null>(null);
  const plotRef = useRef<Plot | null>(null);
  const where = family.service === "" ? "no service" : family.service;
  const windows = windowsBadge(drawn.data.coverage);
  const subtitle = [where, drawn.data.subtitle, windowTitle(drawn), windows, family.help].filter(Boolean).join(" · ");
  return (
    <Dialog title={family.name} subtitle={subtitle} wide onClose={onClose}>
      <div class="large-chart">
        <Chart family={family} drawn={drawn} cursor={cursor} plotRef={plotRef} listed={false} />
      </div>
      <Legend drawn={drawn} cursor={cursor} plotRef={plotRef} />
      <DataTable name={family.name} drawn={drawn} rowsMax={TABLE_ROWS_MAX} />
    </Dialog>
  );
}
