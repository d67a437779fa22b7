// How the store's housekeeping does: when it last succeeded, how far the windows reach, and what was found damaged.
import type { ComponentChildren } from "preact";
import type { Health } from "../../api/types.ts";
import { formatCount, formatValue } from "../../format/number.ts";
import { dateTime } from "../../format/time.ts";

const PHASES: Readonly<Record<string, string>> = {
  flush: "writing samples to tables",
  rollup: "making windows",
  merge: "merging tables",
  retention: "dropping what is old",
};

export function Maintenance({ health: { compaction, store }, nowMs }: { health: Health; nowMs: number }) {
  const { last_success: success, rolled_until: until, phase } = compaction;
  return (
    <>
      <dl class="facts">
        <Fact name="Last success" title={success && exactly(success)}>
          {success ? ago(success, nowMs) : "none yet since the start"}
        </Fact>
        <Fact name="Now">{phase ? doing(phase, compaction.progress) : "at rest; runs once an hour"}</Fact>
        <Fact name="Windows reach to" title={until && exactly(until)}>
          {until ? ago(until, nowMs) : "nothing yet"}
        </Fact>
        <Fact name="Behind by">{compaction.lag_seconds > 0 ? formatValue(Math.round(compaction.lag_seconds), "seconds") : "nothing"}</Fact>
        {compaction.consecutive_errors > 0 && (
          <Fact name="Failed" bad>
            {formatCount(compaction.consecutive_errors)} times in a row{compaction.last_error && `: ${compaction.last_error}`}
          </Fact>
        )}
        {!store.healthy && (
          <Fact name="Writes" bad>
            refused{store.last_error && `: ${store.last_error}`}
          </Fact>
        )}
      </dl>
      {store.damage.length > 0 && (
        <div class="damage">
          <h3>Damage found at the start, and set aside</h3>
          <ul>
            {store.damage.map((sentence, i) => (
              <li key={i}>{sentence}</li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

interface FactProps {
  readonly name: string;
  readonly title?: string | undefined;
  readonly bad?: boolean;
  readonly children: ComponentChildren;
}

function Fact({ name, title, bad, children }: FactProps) {
  return (
    <div class={bad ? "fact bad" : "fact"}>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </div>
  );
}

function doing(phase: string, progress: number | undefined): string {
  const what = PHASES[phase] ?? phase;
  return progress === undefined ? what : `${what}, ${Math.round(100 * progress)} %`;
}

function ago(rfc3339: string, nowMs: number): string {
  return formatValue(Math.max(0, nowMs - Date.parse(rfc3339)) / 1000, "age");
}

function exactly(rfc3339: string): string {
  return dateTime(Date.parse(rfc3339));
}
