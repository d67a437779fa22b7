// Colour: which of the palette's entries a line gets.
//
// Must hold: a line keeps its colour across reloads and themes (a hash of name and labels decides);
// lines of one card differ while the palette lasts (a taken entry passes on to the next free one).

/** Entries `--line-0` … `--line-7` of styles/tokens.css. */
export const PALETTE_SIZE = 8;

export function assignColours(keys: readonly string[]): number[] {
  const taken = new Set<number>();
  return keys.map((key) => {
    if (taken.size === PALETTE_SIZE) taken.clear();
    let colour = hash(key) % PALETTE_SIZE;
    while (taken.has(colour)) colour = (colour + 1) % PALETTE_SIZE;
    taken.add(colour);
    return colour;
  });
}

/** FNV-1a over UTF-16 units: small, and the same in every browser. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}
