// The row above the charts: what is shown, for which time, and refresh.
import { connection, reload } from "../../state/live.ts";
import { chooseRange, range } from "../../state/range.ts";
import { RANGES } from "../../state/ranges.ts";
import { Icon } from "../../ui/Icon.tsx";

export function Toolbar({ services, metrics }: { services: number; metrics: number }) {
  return (
    <div class="toolbar">
      <p class="summary">
        <strong>{counted(services, "service")}</strong> <span>{counted(metrics, "metric")}</span>
      </p>
      <div class="toolbar-tools">
        <div class="segments" role="group" aria-label="Time range">
          {RANGES.map((r) => (
            <button
              key={r.id}
              type="button"
              class="segment"
              aria-pressed={range.value.id === r.id}
              title={`${r.title} (${r.key})`}
              onClick={() => chooseRange(r.id)}
            >
              {r.id}
            </button>
          ))}
        </div>
        <button type="button" class="button" title="Refresh now (R)" onClick={reload} aria-label="Refresh">
          <Icon name="refresh" />
          <span class="wide-only">Refresh</span>
        </button>
      </div>
      {connection.value === "reconnecting" && (
        <p class="stale-bar">The server does not answer. What you see is the last that was received.</p>
      )}
    </div>
  );
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
