// The row above the charts: what is shown, for which time, and refresh.
import { api, connection, oldestMs, reload, stats } from "../../state/live.ts";
import { chooseRange, range } from "../../state/range.ts";
import { clock, moment } from "../../format/time.ts";
import { RANGES } from "../../state/ranges.ts";
import { Icon } from "../../ui/Icon.tsx";

export function Toolbar({ services, metrics }: { services: number; metrics: number }) {
  return (
    <div class="toolbar">
      <p class="summary">
        <strong>{counted(services, "service")}</strong> <span>{counted(metrics, "metric")}</span>
      </p>
      <Begins />
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

/** Why a chart does not show the whole range. */
function Begins() {
  // A new answer is a new now; without it the note would outlive its reason.
  void stats.value;
  const oldest = oldestMs.value;
  if (oldest === null || oldest < api.serverNow() - range.value.rangeMs) return null;
  return (
    <p class="begins" title={`The oldest sample is of ${moment(oldest)}: the charts begin there, and grow to the chosen range.`}>
      data begins {isToday(oldest) ? clock(oldest).slice(0, 5) : moment(oldest).slice(0, -3)}
    </p>
  );
}

function isToday(ms: number): boolean {
  return new Date(ms).toDateString() === new Date(api.serverNow()).toDateString();
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
