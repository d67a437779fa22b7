// The address says what is shown, so that a copied link shows the same.
//
// Must hold: unknown values fall back to the default, the default is not written, and parameters of
// others survive.
import { DEFAULT_RANGE, rangeById, type RangeId } from "./ranges.ts";

export type ViewId = "dashboard" | "storage";

export interface UrlState {
  readonly range: RangeId;
  readonly view: ViewId;
}

const VIEW_DEFAULT: ViewId = "dashboard";

export function readUrl(search: string): UrlState {
  const params = new URLSearchParams(search);
  return { range: rangeById(params.get("range")).id, view: params.get("view") === "storage" ? "storage" : VIEW_DEFAULT };
}

/** The search part with `changes`, keeping what else is in `search`. */
export function writeUrl(search: string, changes: Partial<UrlState>): string {
  const params = new URLSearchParams(search);
  const put = (name: string, value: string | undefined, byDefault: string): void => {
    if (value === byDefault) params.delete(name);
    else if (value !== undefined) params.set(name, value);
  };
  put("range", changes.range, DEFAULT_RANGE);
  put("view", changes.view, VIEW_DEFAULT);
  const text = params.toString();
  return text ? `?${text}` : "";
}
