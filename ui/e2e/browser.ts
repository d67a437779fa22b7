// One Chromium for a test file, and pages that note everything that goes wrong in them.
//
// Must hold: a page error, a console error or warning, a CSP violation or a failed asset fails the test
// that opened the page, whether it looked or not (`Watched.expectClean`).
import { mkdirSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { expect } from "vitest";
import type { TinyobsDebug } from "../src/debug/registry.ts";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const SHOTS = "test-results";
export const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;

export function launch(): Promise<Browser> {
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ARGS });
}

export class Watched {
  readonly problems: string[] = [];

  private constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.problems.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      // CSP violations arrive here too, as errors.
      if (message.type() === "error" || message.type() === "warning") {
        this.problems.push(`console ${message.type()}: ${message.text()}`);
      }
    });
    page.on("requestfailed", (request) => {
      // A card that goes gives its request up; that is no failure.
      const why = request.failure()?.errorText ?? "";
      if (why !== "net::ERR_ABORTED") this.problems.push(`request failed: ${request.url()} ${why}`);
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await browser.newContext({ viewport: SIZES.desktop, colorScheme: "light", ...options });
    const watched = new Watched(await context.newPage());
    await watched.page.goto(url);
    return watched;
  }

  async close(): Promise<void> {
    // An answer that a test was changing on its way is nobody's any more.
    await this.page.unrouteAll({ behavior: "ignoreErrors" });
    await this.page.context().close();
    this.expectClean();
  }

  expectClean(): void {
    expect(this.problems).toEqual([]);
  }
}

/** The cards as the charts hold them, once `family` of `service` is drawn with at least `points` values. */
export async function cardOf(page: Page, service: string, family: string, points = 1) {
  await card(page, service, family).scrollIntoViewIfNeeded();
  await page.waitForFunction(
    ([s, f, n]) => {
      const drawn = (window as unknown as { __tinyobs: TinyobsDebug }).__tinyobs.card(s, f);
      return drawn?.lines.some((line) => line.values.filter((v) => v !== null).length >= n);
    },
    [service, family, points] as const,
  );
  const drawn = await page.evaluate(
    ([s, f]) => (window as unknown as { __tinyobs: TinyobsDebug }).__tinyobs.card(s, f),
    [service, family] as const,
  );
  if (drawn === null) throw new Error(`${family} of ${service} is not drawn`);
  return drawn;
}

export function card(page: Page, service: string, family: string) {
  return page.locator(`article[data-service=${JSON.stringify(service)}][data-family=${JSON.stringify(family)}]`);
}

/** Waits until charts are on the page and none is loading. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector("article .u-over");
  await page.waitForFunction(() => {
    const cards = [...document.querySelectorAll("article")].filter((c) => c.getBoundingClientRect().top < innerHeight);
    return cards.every((c) => c.getAttribute("aria-busy") === "false");
  });
}

export async function ingest(url: string, metrics: readonly object[]): Promise<void> {
  const response = await fetch(`${url}/v1/ingest`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ metrics }),
  });
  const body: unknown = await response.json();
  expect(response.status, JSON.stringify(body)).toBe(200);
  expect(body).toMatchObject({ errors: [] });
}

/** When the store's oldest sample was taken. */
export async function oldestOf(url: string): Promise<number> {
  const { OldestMetric } = (await (await fetch(`${url}/v1/stats`)).json()) as { OldestMetric: string };
  return Date.parse(OldestMetric);
}
