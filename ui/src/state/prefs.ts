// What the browser remembers between visits. Must hold: storage that is forbidden, full or filled by
// others never breaks the page; then a choice lasts until the page is closed.

export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class Prefs {
  readonly #kept = new Map<string, string>();

  constructor(private readonly store: () => Store) {}

  get(key: string): string | null {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    try {
      return this.store().getItem(key);
    } catch {
      return null;
    }
  }

  set(key: string, value: string): void {
    this.#kept.set(key, value);
    try {
      this.store().setItem(key, value);
    } catch {
      // Kept in memory above.
    }
  }

  /** A remembered set of strings, such as the folded sections. */
  getSet(key: string): ReadonlySet<string> {
    try {
      const parsed: unknown = JSON.parse(this.get(key) ?? "[]");
      return new Set(Array.isArray(parsed) ? parsed.filter((item) => typeof item === "string") : []);
    } catch {
      return new Set();
    }
  }

  setSet(key: string, values: ReadonlySet<string>): void {
    this.set(key, JSON.stringify([...values].sort()));
  }
}

// Behind a function: in a sandboxed frame even reading `localStorage` throws.
export const prefs = new Prefs(() => localStorage);
