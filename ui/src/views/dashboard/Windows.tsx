// The badge of a chart that does not show every sample: what it shows instead, and a sentence why.
import type { Part } from "../../derive/coverage.ts";
import { windowsBadge, windowsTitle } from "../../format/resolution.ts";

export function Windows({ coverage }: { coverage: readonly Part[] }) {
  const text = windowsBadge(coverage);
  if (text === null) return null;
  const title = windowsTitle(coverage);
  return (
    <span class="windows" title={title}>
      {text}
      <span class="visually-hidden">. {title}</span>
    </span>
  );
}
