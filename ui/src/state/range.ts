// The chosen range, kept in the address.
import { computed, signal } from "@preact/signals";
import { rangeById, type RangeId } from "./ranges.ts";
import { readUrl, writeUrl } from "./url.ts";

const chosen = signal<RangeId>(readUrl(location.search).range);

export const range = computed(() => rangeById(chosen.value));

export function chooseRange(id: RangeId): void {
  chosen.value = id;
  const search = writeUrl(location.search, { range: id });
  history.replaceState(null, "", `${location.pathname}${search}${location.hash}`);
}

addEventListener("popstate", () => {
  chosen.value = readUrl(location.search).range;
});
