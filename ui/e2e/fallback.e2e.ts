// The simple page that a build without npm embeds, with the mock behind it and under the real policy.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { preview, type PreviewServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mockServer } from "../dev/plugin.ts";
import { ingest, launch, Watched } from "./browser.ts";
import { check } from "./check.ts";

let browser: Browser;
let server: PreviewServer;
let url = "";
beforeAll(async () => {
  browser = await launch();
  server = await preview({
    configFile: false,
    logLevel: "error",
    root: join(import.meta.dirname, "../../crates/tinyobs-ui"),
    build: { outDir: "fallback" },
    plugins: [mockServer("demo")],
    preview: { port: 41_732, host: "127.0.0.1" },
  });
  url = (server.resolvedUrls?.local[0] ?? "").replace(/\/$/, "");
});
afterAll(async () => {
  await server.close();
  await browser.close();
});

for (const theme of ["light", "dark"] as const) {
  test(`lists the metrics and draws the chosen one, ${theme}`, async () => {
    const w = await Watched.open(browser, url, { colorScheme: theme, viewport: { width: 390, height: 844 } });
    const { page } = w;
    await page.getByText("● Live").waitFor();
    await page.getByRole("searchbox", { name: "Metrics" }).fill("queue");
    expect(await page.locator("#metrics button").allTextContents()).toEqual(["queue_depth"]);
    await page.getByRole("button", { name: "queue_depth" }).click();
    await page.getByText("The last hour, raw values, 2 of 2 series.").waitFor();
    expect(await page.locator("#legend li").first().textContent()).toContain('queue="email"');
    const painted = await page.locator("canvas").evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const pixels = (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
      return Array.from(pixels).filter((value, i) => i % 4 === 3 && value > 0).length;
    });
    expect(painted).toBeGreaterThan(500);
    await check(page, `fallback-${theme}-phone`);
    await w.close();
  });
}

test("markup in a name stays text", async () => {
  const evil = "<img src=x onerror=window.__xss=1>";
  await ingest(url, [{ name: evil, type: "gauge", value: 1, labels: { service: evil } }]);
  const w = await Watched.open(browser, url);
  await w.page.getByRole("button", { name: evil }).click();
  await w.page.locator("#legend li").first().waitFor();
  expect(await w.page.locator("img").count()).toBe(0);
  expect(await w.page.evaluate(() => (window as unknown as { __xss?: number }).__xss)).toBeUndefined();
  await w.close();
});
