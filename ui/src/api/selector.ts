// Builds PromQL series selectors. Must hold: any name and any value, quotes and newlines included,
// comes out as one valid selector; nothing a metric is called can change what is asked.

/** `{__name__="…",service="…"}`. A label of "" matches the series that lack it, as in PromQL. */
export function selector(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return `{${parts.join(",")}}`;
}

function escape(value: string): string {
  return value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));
}
