// A bar of parts: how much of a limit is taken, and by what. Its words are the accessible value.

export interface Share {
  readonly name: string;
  /** Of the whole bar, 0 to 1. */
  readonly share: number;
}

interface Props {
  readonly label: string;
  readonly text: string;
  readonly shares: readonly Share[];
  /** Marks on the bar, 0 to 1, where a warning begins. */
  readonly marks?: readonly number[];
}

export function Meter({ label, text, shares, marks = [] }: Props) {
  const percent = Math.min(100, Math.round(100 * shares.reduce((sum, { share }) => sum + share, 0)));
  return (
    <div class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={text}>
      <div class="meter-bar">
        {shares.map(({ name, share }) => (
          <span key={name} class={`meter-part part-${name}`} style={{ width: `${100 * Math.min(1, share)}%` }} />
        ))}
      </div>
      {marks.map((mark) => (
        <span key={mark} class="meter-mark" style={{ left: `${100 * mark}%` }} title={`A warning from ${100 * mark} % on`} />
      ))}
    </div>
  );
}
