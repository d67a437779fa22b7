// One line above every view when the store has something to say; the worst first, the others counted.
//
// Must hold: the region is there before its text, so that it is read aloud; a dismissed warning stays away
// for the session, and the next one takes its place.
import { signal } from "@preact/signals";
import { warningsOf } from "../derive/warnings.ts";
import { api, stats, storage } from "../state/live.ts";
import { Prefs } from "../state/prefs.ts";
import { cardinality, health } from "../state/status.ts";
import { view } from "../state/view.ts";
import { Icon } from "./Icon.tsx";
import { ViewLink } from "./Tabs.tsx";

const DISMISSED_KEY = "tinyobs-dismissed";
const session = new Prefs(() => sessionStorage);
const dismissed = signal(session.getSet(DISMISSED_KEY));

export function Banner() {
  // A new answer is a new now; without it a refusal would never be an hour old.
  void stats.value;
  const all = warningsOf(storage.value, health.value, cardinality.value, api.serverNow());
  const open = all.filter(({ id }) => !dismissed.value.has(id));
  const [first] = open;
  return (
    <div class="banner-region" role="region" aria-label="Warnings" aria-live="polite">
      {first && (
        <div class={first.severe ? "banner severe" : "banner"}>
          <Icon name="warning" />
          <p title={first.text}>{first.text}</p>
          {open.length > 1 && <span class="banner-more">+{open.length - 1} more</span>}
          {view.value !== "storage" && <ViewLink id="storage">Details</ViewLink>}
          <button type="button" class="icon-button small" aria-label="Dismiss this warning" title="Dismiss until the browser is closed" onClick={() => dismiss(first.id)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}

function dismiss(id: string): void {
  dismissed.value = new Set([...dismissed.value, id]);
  session.setSet(DISMISSED_KEY, dismissed.value);
}
