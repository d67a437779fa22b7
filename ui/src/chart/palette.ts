// Colours for the canvas, read from the CSS tokens: one place defines them, both themes follow.

export interface Palette {
  readonly lines: readonly string[];
  readonly quantiles: Readonly<Record<"p50" | "p90" | "p99", string>>;
  readonly heat: string;
  readonly grid: string;
  readonly axis: string;
  readonly card: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    lines: Array.from({ length: 8 }, (_, i) => token(`--line-${i}`)),
    quantiles: { p50: token("--p50"), p90: token("--p90"), p99: token("--p99") },
    heat: token("--heat"),
    grid: token("--chart-grid"),
    axis: token("--chart-axis"),
    card: token("--card"),
  };
}

/** Class of a legend swatch or line of this colour; see styles/chart.css. */
export function colourClass(colour: number | string): string {
  return typeof colour === "number" ? `line-${colour}` : colour;
}
