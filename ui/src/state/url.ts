// The address says what is shown, so that a copied link shows the same.
//
// Must hold: unknown values fall back to the default, the default is not written, and parameters of
// others (a later view's) survive.
import { DEFAULT_RANGE, rangeById, type RangeId } from "./ranges.ts";

export interface UrlState {
  readonly range: RangeId;
}

export function readUrl(search: string): UrlState {
  return { range: rangeById(new URLSearchParams(search).get("range")).id };
}

/** The search part for `state`, keeping what else is in `search`. */
export function writeUrl(search: string, state: UrlState): string {
  const params = new URLSearchParams(search);
  if (state.range === DEFAULT_RANGE) params.delete("range");
  else params.set("range", state.range);
  const text = params.toString();
  return text ? `?${text}` : "";
}
