// A server without data: the empty state in all its looks, and how the first sample ends it. The last
// test fills the server, so order matters in this file.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { card, cardOf, ingest, launch, SIZES, Watched } from "./browser.ts";
import { check } from "./check.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

for (const theme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`empty, ${theme}, ${size}`, async () => {
      const w = await Watched.open(browser, inject("emptyUrl"), { viewport, colorScheme: theme });
      await w.page.getByRole("heading", { name: "Send your first sample" }).waitFor();
      await check(w.page, `empty-${theme}-${size}`);
      await w.close();
    });
  }
}

test("the snippets name this server and can be copied", async () => {
  const url = inject("emptyUrl");
  const w = await Watched.open(browser, url, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = w;
  const code = page.locator(".snippet code");
  const curl = `curl ${url}/v1/ingest -H 'content-type: application/json' -d '{"metrics":[{"name":"room_temperature_celsius","type":"gauge","value":21.5,"labels":{"service":"my-app"}}]}'`;
  expect(await code.textContent()).toBe(curl);
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(curl);

  await page.getByRole("tab", { name: "curl" }).press("ArrowRight");
  expect(await page.getByRole("tab", { name: "Rust" }).getAttribute("aria-selected")).toBe("true");
  expect(await code.textContent()).toContain(`tinyobs::Client::builder("my-app").endpoint("${url}").start()?;`);
  await page.getByRole("tab", { name: "OpenTelemetry" }).click();
  await page.getByText("This release does not receive OpenTelemetry (OTLP) yet").waitFor();
  expect(await code.textContent()).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${url}`);
  await page.getByRole("button", { name: "Copy" }).waitFor();
  await w.close();
});

test("the first sample turns the light green and the dashboard appears", async () => {
  const url = inject("emptyUrl");
  const w = await Watched.open(browser, url);
  await w.page.getByText("Waiting for the first sample…").waitFor();
  // What the curl snippet sends.
  await ingest(url, [{ name: "room_temperature_celsius", type: "gauge", value: 21.5, labels: { service: "my-app" } }]);
  await w.page.getByText("First sample received ✓").waitFor();
  await check(w.page, "received-light-desktop");
  const shown = card(w.page, "my-app", "room_temperature_celsius");
  await shown.waitFor();
  const drawn = await cardOf(w.page, "my-app", "room_temperature_celsius");
  expect(drawn.lines[0]?.values).toEqual([21.5]);
  expect((await shown.locator(".headline").textContent())?.trim()).toBe("21.5");
  await w.close();
});
