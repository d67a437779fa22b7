// Which parts of the dashboard are folded, remembered between visits.
//
// Must hold: services start open and background groups (process and SDK) start folded, so each set holds the exceptions.
import { signal, type Signal } from "@preact/signals";
import { prefs } from "../../state/prefs.ts";

class RememberedSet {
  readonly #values: Signal<ReadonlySet<string>>;

  constructor(private readonly key: string) {
    this.#values = signal(prefs.getSet(key));
  }

  has(value: string): boolean {
    return this.#values.value.has(value);
  }

  toggle(value: string): void {
    const next = new Set(this.#values.value);
    if (!next.delete(value)) next.add(value);
    this.#values.value = next;
    prefs.setSet(this.key, next);
  }
}

export const foldedServices = new RememberedSet("tinyobs-folded-services");
export const openBackgrounds = new RememberedSet("tinyobs-open-process");
