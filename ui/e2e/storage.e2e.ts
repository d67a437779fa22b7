// The Storage view, the banner, and the badge of charts that show windows. Figures that a test needs at a
// certain size are put into the server's own answers on their way to the page.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launch, settled, SIZES, Watched } from "./browser.ts";
import { check } from "./check.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

type Json = Record<string, unknown>;

const EVIL = "<img src=x onerror=window.__xss=1>";
const WARNINGS: Record<string, (answer: Json) => Json> = {
  "v1/storage": (answer) => ({ ...answer, max_bytes: Math.round((answer["used_bytes"] as number) / 0.95), percent: 95, level: "warning_90" }),
  "v1/health": (answer) => ({ ...answer, store: { healthy: true, damage: [`table ${EVIL}: checksum`] } }),
  "v1/cardinality": (answer) => ({
    ...answer,
    refused_total: 7,
    last_refusal: { at: new Date().toISOString(), metric: EVIL, label: "user_id", values: 12_345, rule: "series_limit" },
  }),
};

async function open(path: string, options = {}, changes: Record<string, (answer: Json) => Json> = {}): Promise<Watched> {
  const w = await Watched.open(browser, "about:blank", options);
  for (const [route, change] of Object.entries(changes)) {
    await w.page.route(`**/${route}`, async (to) => {
      const response = await to.fetch();
      await to.fulfill({ response, json: change((await response.json()) as Json) });
    });
  }
  await w.page.goto(`${inject("url")}/${path}`);
  return w;
}

const shown = (page: Page) => page.locator(".panel-series .top").first().waitFor();
const banner = (page: Page) => page.getByRole("region", { name: "Warnings" });

for (const theme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    describe(`${theme}, ${size}`, () => {
      test("storage", async () => {
        const w = await open("?view=storage", { viewport, colorScheme: theme });
        await shown(w.page);
        await check(w.page, `storage-${theme}-${size}`);
        await w.close();
      });

      test("storage with every warning", async () => {
        const w = await open("?view=storage", { viewport, colorScheme: theme }, WARNINGS);
        await shown(w.page);
        await banner(w.page).getByText("90 %").waitFor();
        await check(w.page, `storage-warnings-${theme}-${size}`);
        await w.close();
      });

      test("a month of windows", async () => {
        const w = await open("?range=30d", { viewport, colorScheme: theme }, WARNINGS);
        await settled(w.page);
        await banner(w.page).getByText("90 %").waitFor();
        await check(w.page, `month-${theme}-${size}`);
        await w.close();
      });
    });
  }
}

test("the figures are the server's", async () => {
  const answers = new Map<string, Json>();
  const keep = (route: string) => (answer: Json) => (answers.set(route, answer), answer);
  const w = await open("?view=storage", {}, { "v1/storage": keep("storage"), "v1/cardinality": keep("cardinality") });
  const { page } = w;
  await shown(page);
  const storage = answers.get("storage") as { max_bytes: number; resolutions: { bytes: number; retention: string }[] };
  const cardinality = answers.get("cardinality") as { total_series: number; series_limit: number; top_metrics: { metric: string; series: number }[] };
  expect(await page.locator(".kept tbody th .kept-name").allTextContents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Samples /), expect.stringMatching(/^5 min windows /), expect.stringMatching(/^1 h windows /)]),
  );
  for (const [i, { retention }] of storage.resolutions.entries()) {
    expect(await page.locator(".kept tbody tr").nth(i).locator('[data-column="Kept for"]').textContent()).toBe(retention);
  }
  const meter = page.getByRole("meter", { name: "Series limit" });
  expect(await meter.getAttribute("aria-valuetext")).toContain(`of ${cardinality.series_limit.toLocaleString("en-US")} series`);
  const metrics = await page.locator(".top").first().locator(".top-name").allTextContents();
  expect(metrics).toEqual(cardinality.top_metrics.map(({ metric }) => metric));
  await w.close();
});

test("warnings are text, one at a time, and stay away once dismissed", async () => {
  const w = await open("", {}, WARNINGS);
  const { page } = w;
  const region = banner(page);
  expect(await region.getAttribute("aria-live")).toBe("polite");
  const texts = [
    /^More than 90 % of the disk budget of [\d.]+ [KM]iB is used\.$/,
    "A damaged part of the store was set aside at the start; the rest is served.",
    `Metric ${EVIL} was refused: its label user_id has 12,345 values.`,
  ];
  await region.getByText("+2 more").waitFor();
  for (const text of texts) {
    await region.getByText(text, { exact: true }).waitFor();
    await region.getByRole("button", { name: "Dismiss this warning" }).press("Enter");
  }
  const answered = page.waitForResponse((response) => response.url().endsWith("/v1/cardinality"));
  await page.reload();
  await settled(page);
  await answered;
  await page.waitForTimeout(300);
  expect(await region.textContent()).toBe("");
  await page.keyboard.press("s");
  await page.locator(".refusal").waitFor();
  expect(await page.locator(".refusal").textContent()).toContain(`metric ${EVIL} was refused: its label user_id has 12,345 values; the server may have`);
  expect(await page.locator(".damage li").allTextContents()).toEqual([`table ${EVIL}: checksum`]);
  expect(await page.evaluate(() => (window as unknown as { __xss?: number }).__xss)).toBeUndefined();
  expect(await page.locator("img").count()).toBe(0);
  await w.close();
});

test("the views are links, steps in the history, and a key", async () => {
  const w = await open("?range=6h");
  const { page } = w;
  await settled(page);
  const views = page.getByRole("navigation", { name: "Views" });
  await views.getByRole("link", { name: "Storage" }).press("Enter");
  await shown(page);
  expect(new URL(page.url()).search).toBe("?range=6h&view=storage");
  expect(await views.locator('[aria-current="page"]').textContent()).toBe("Storage");
  await page.goBack();
  await settled(page);
  expect(new URL(page.url()).search).toBe("?range=6h");
  await page.keyboard.press("s");
  await shown(page);
  await page.reload();
  await shown(page);
  await w.close();
});

test("a chart of windows says so; one of samples says nothing", async () => {
  const w = await open("?range=30d", {}, {
    "v1/query/range?*": (answer) => ({
      ...answer,
      data: (answer["data"] as { points: { t: number }[] }[]).map((series) => {
        const [first, last] = [series.points[0]?.t ?? 0, series.points.at(-1)?.t ?? 0];
        const border = Math.round((first + last) / 2);
        const stretches = [
          { start: first, end: border - 1, resolution: "1h" },
          { start: border, end: last, resolution: "raw" },
        ];
        return { ...series, resolution: "1h", stretches };
      }),
    }),
  });
  const { page } = w;
  await settled(page);
  const badge = page.locator("article .windows").first();
  await badge.waitFor();
  expect(await badge.locator(":scope").evaluate((e) => e.firstChild?.textContent)).toBe("1 h → raw");
  expect(await badge.getAttribute("title")).toMatch(/^What is kept of windows of 1 h until \w{3} \d+, \d\d:\d\d, then samples as they were pushed\.$/);
  await w.close();

  const samples = await open("?range=1h");
  await settled(samples.page);
  expect(await samples.page.locator("article .windows").count()).toBe(0);
  await samples.close();
});
