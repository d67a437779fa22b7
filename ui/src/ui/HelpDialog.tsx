// `?`: what the keys do and how to read the charts.
import { Dialog } from "./Dialog.tsx";
import { CHART_KEYS, SHORTCUTS, type Shortcut } from "./shortcuts.ts";

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Help" onClose={onClose}>
      <div class="help">
        <Keys title="Everywhere" shortcuts={SHORTCUTS} />
        <Keys title="On a chart" shortcuts={CHART_KEYS} />
      </div>
      <h3 class="help-title">How metrics are drawn</h3>
      <dl class="help-notes">
        <dt>Counter</dt>
        <dd>Its rate per second. A restart of the process is not a fall.</dd>
        <dt>Gauge</dt>
        <dd>Every value as it was sampled. A line breaks where samples are missing.</dd>
        <dt>Moment</dt>
        <dd>A gauge such as last_success_timestamp_seconds is drawn as the time since then.</dd>
        <dt>Histogram</dt>
        <dd>p50, p90 and p99 over a heat band: the stronger a bucket, the more observations fell into it.</dd>
        <dt>Windows</dt>
        <dd>
          Long ranges and old data are drawn from windows of 5 minutes or 1 hour: first, lowest, highest and last value, and
          the whole increase of a counter. A chart that shows them says so.
        </dd>
        <dt>Young data</dt>
        <dd>Until they fill the chosen range, the charts begin where the data do.</dd>
      </dl>
    </Dialog>
  );
}

function Keys({ title, shortcuts }: { title: string; shortcuts: readonly Shortcut[] }) {
  return (
    <section>
      <h3 class="help-title">{title}</h3>
      <dl class="keys">
        {shortcuts.map(({ keys, what }) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
