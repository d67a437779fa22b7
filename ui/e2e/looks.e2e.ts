// Every view of a filled server in both themes and both sizes; see check.ts for what must hold.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launch, settled, SIZES, Watched } from "./browser.ts";
import { check } from "./check.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const THEMES = ["light", "dark"] as const;
const VIEWS: Record<string, (page: Page) => Promise<void>> = {
  dashboard: settled,
  background: async (page) => {
    await settled(page);
    await page.locator(".background .fold").first().click();
    await page.locator(".background article .u-over").first().waitFor();
    await page.locator(".background").first().scrollIntoViewIfNeeded();
  },
  table: async (page) => {
    await settled(page);
    await page.locator("article").first().getByRole("button", { name: "as a table" }).click();
    await page.locator("article table").first().waitFor();
  },
  large: async (page) => {
    await settled(page);
    await page.locator("article").filter({ hasText: "p50" }).first().getByRole("button", { name: "large" }).click();
    await page.locator("dialog .u-over").waitFor();
  },
  help: async (page) => {
    await settled(page);
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
  },
};

for (const theme of THEMES) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    describe(`${theme}, ${size}`, () => {
      for (const [view, open] of Object.entries(VIEWS)) {
        test(view, async () => {
          const w = await Watched.open(browser, inject("url"), { viewport, colorScheme: theme });
          await open(w.page);
          await check(w.page, `${view}-${theme}-${size}`);
          await w.close();
        });
      }
    });
  }
}

test("a very wide screen uses its width without stretching a card", async () => {
  const w = await Watched.open(browser, inject("url"), { viewport: { width: 2560, height: 1300 } });
  await settled(w.page);
  await check(w.page, "dashboard-light-wide");
  const widths = await w.page.locator("article").evaluateAll((cards) => cards.map((c) => c.clientWidth));
  expect(Math.max(...widths)).toBeLessThan(800);
  await w.close();
});
