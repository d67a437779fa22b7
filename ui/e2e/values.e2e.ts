// The charts hold the values that were pushed: this file pushes them itself, with explicit times, works
// out the expectation on its own and compares it with what uPlot was given.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { card, cardOf, ingest, launch, oldestOf, Watched } from "./browser.ts";

const STEP_MS = 15_000;
const SAMPLES = 24;
const service = `e2e-${Date.now().toString(36)}`;
/** On the dashboard's grid, and long enough ago for every bin to have ended. */
const start = Math.floor(Date.now() / STEP_MS) * STEP_MS - 12 * 60_000;
const times = Array.from({ length: SAMPLES }, (_, i) => start + i * STEP_MS);

let browser: Browser;
let w: Watched;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (drawn: { times: number[]; lines: { label: string; values: (number | null)[] }[] }, label: string) => {
  const line = drawn.lines.find((l) => l.label === label);
  if (line === undefined) throw new Error(`no line ${label} in ${drawn.lines.map((l) => l.label)}`);
  return new Map(drawn.times.flatMap((t, i) => (line.values[i] == null ? [] : [[t, line.values[i] as number] as const])));
};

test("a counter is its rate per second, across a restart", async () => {
  const web = times.map((_, i) => (i < 10 ? 100 + 30 * i : 7 * (i - 9)));
  const app = times.map((_, i) => 3 * i * i);
  await ingest(
    inject("url"),
    times.flatMap((timestamp, i) => [
      { name: "e2e_orders_total", type: "counter", value: web[i], timestamp, labels: { service, kind: "web" } },
      { name: "e2e_orders_total", type: "counter", value: app[i], timestamp, labels: { service, kind: "app" } },
    ]),
  );
  w = await Watched.open(browser, inject("url"));
  const drawn = await cardOf(w.page, service, "e2e_orders_total");
  expect(drawn.drawing).toBe("rate");
  for (const [label, values] of Object.entries({ web, app })) {
    const rates = at(drawn, label);
    expect([...rates.keys()]).toEqual(times.slice(1));
    times.slice(1).forEach((t, i) => {
      const before = values[i] as number;
      const after = values[i + 1] as number;
      const expected = (after >= before ? after - before : after) / (STEP_MS / 1000);
      expect(rates.get(t), `${label} at ${i}`).toBeCloseTo(expected, 9);
    });
  }
  const text = await card(w.page, service, "e2e_orders_total").locator(".card-sub").textContent();
  expect(text).toBe("per second · by kind");
  await w.close();
});

test("the time axis begins with the data, and says so", async () => {
  w = await Watched.open(browser, inject("url"));
  const drawn = await cardOf(w.page, service, "e2e_orders_total");
  const now = Date.now();
  const oldest = await oldestOf(inject("url"));
  const young = oldest > now - 3_600_000;
  const begin = young ? Math.min(oldest, now - 300_000) : now - 3_600_000;
  const shown = (drawn.times[0] as number) - STEP_MS;
  expect(Math.abs(shown - begin)).toBeLessThanOrEqual(2 * STEP_MS);
  expect(drawn.times.every((t, i) => t === (drawn.times[0] as number) + i * STEP_MS)).toBe(true);
  expect(await w.page.locator(".begins").count()).toBe(young ? 1 : 0);
  await w.close();
});

test("a moment is its age, with its date at hand", async () => {
  const moments = times.map((t, i) => (i < 3 ? 0 : t / 1000 - (i % 8) * 2));
  await ingest(
    inject("url"),
    times.map((timestamp, i) => ({ name: "e2e_last_success_timestamp_seconds", type: "gauge", value: moments[i], timestamp, labels: { service } })),
  );
  w = await Watched.open(browser, inject("url"));
  const drawn = await cardOf(w.page, service, "e2e_last_success_timestamp_seconds");
  expect(drawn.unit).toBe("age");
  // A moment of 0 is "never", not 1970.
  expect([...at(drawn, "age")]).toEqual(times.slice(3).map((t, i) => [t, ((i + 3) % 8) * 2]));
  const shown = card(w.page, service, "e2e_last_success_timestamp_seconds");
  await shown.getByRole("button", { name: "as a table" }).click();
  const cell = shown.locator("tbody td").first();
  expect(await cell.textContent()).toBe(`${((SAMPLES - 1) % 8) * 2} s ago`);
  const date = await w.page.evaluate((s) => new Date(s * 1000).toLocaleString("sv-SE"), moments.at(-1) as number);
  expect(await cell.getAttribute("title")).toBe(date);
  await w.close();
});

test("a gauge is every value at its own time, and its table shows them", async () => {
  const odd = times.map((t, i) => t + 137 * (i % 7));
  const values = times.map((_, i) => 20 + 5 * Math.sin(i) + 1e-9 * i);
  await ingest(
    inject("url"),
    odd.map((timestamp, i) => ({ name: "e2e_temperature", type: "gauge", value: values[i], timestamp, labels: { service } })),
  );
  w = await Watched.open(browser, inject("url"));
  const drawn = await cardOf(w.page, service, "e2e_temperature");
  expect([...at(drawn, "value")]).toEqual(odd.map((t, i) => [t, values[i]]));

  await card(w.page, service, "e2e_temperature").getByRole("button", { name: "as a table" }).click();
  const cells = await card(w.page, service, "e2e_temperature").locator("tbody td").evaluateAll((all) => all.map((td) => (td as HTMLElement).title));
  expect(cells).toEqual(values.map(String).reverse());
  await w.close();
});

test("a histogram is its quantiles over a heat band", async () => {
  // Each bin gets ten observations up to 0.1 and ten more up to 0.2.
  await ingest(
    inject("url"),
    times.map((timestamp, i) => ({
      name: "e2e_latency_seconds",
      type: "histogram",
      timestamp,
      labels: { service },
      buckets: [
        [0.1, 10 * i],
        [0.2, 20 * i],
        [0.5, 20 * i],
      ],
      sum: 3 * i,
      count: 20 * i,
    })),
  );
  w = await Watched.open(browser, inject("url"));
  const drawn = await cardOf(w.page, service, "e2e_latency_seconds");
  expect(drawn.drawing).toBe("histogram");
  for (const [label, expected] of [["p50", 0.1], ["p90", 0.18], ["p99", 0.198]] as const) {
    const line = at(drawn, label);
    expect([...line.keys()]).toEqual(times.slice(1));
    for (const value of line.values()) expect(value).toBeCloseTo(expected, 9);
  }
  // The heat is on the canvas: many more pixels than the three lines could colour.
  const coloured = await card(w.page, service, "e2e_latency_seconds").locator("canvas").evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const { data } = ((canvas as HTMLCanvasElement).getContext("2d") as CanvasRenderingContext2D).getImageData(0, 0, width, height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      // Translucent blue: --heat #5a5ee6 at less than full opacity.
      if ((data[i + 3] as number) > 10 && (data[i + 3] as number) < 250 && (data[i + 2] as number) > (data[i] as number) + 60) count += 1;
    }
    return count;
  });
  expect(coloured).toBeGreaterThan(400);
  expect(await card(w.page, service, "e2e_latency_seconds").locator(".card-sub").textContent()).toBe("p50, p90, p99");
  await w.close();
});

test("new samples appear by themselves", async () => {
  const live = { name: "e2e_live", type: "gauge", labels: { service } };
  await ingest(inject("url"), [{ ...live, value: 1, timestamp: Date.now() - 1_000 }]);
  w = await Watched.open(browser, inject("url"));
  expect([...at(await cardOf(w.page, service, "e2e_live"), "value").values()]).toEqual([1]);
  await ingest(inject("url"), [{ ...live, value: 42.5, timestamp: Date.now() }]);
  expect([...at(await cardOf(w.page, service, "e2e_live", 2), "value").values()]).toEqual([1, 42.5]);
  expect(await card(w.page, service, "e2e_live").locator(".headline").textContent()).toContain("42.5");
  await w.close();
});

test("names, labels and services that look like markup stay text", async () => {
  const evil = "<img src=x onerror=window.__xss=1>";
  const evilService = `${service}"><script>window.__xss=2</script>`;
  await ingest(
    inject("url"),
    [0, 1].map((i) => ({ name: evil, type: "gauge", value: i, timestamp: start + i * 1000, labels: { service: evilService, "path": `${evil}${i}` } })),
  );
  w = await Watched.open(browser, inject("url"));
  const shown = w.page.locator("article").filter({ has: w.page.getByRole("heading", { name: evil, exact: true }) });
  await shown.scrollIntoViewIfNeeded();
  await shown.locator(".legend-item").first().waitFor();
  expect(await shown.locator(".legend-name").allTextContents()).toEqual([`${evil}0`, `${evil}1`]);
  await shown.getByRole("button", { name: "large" }).click();
  await w.page.locator("dialog .u-over").waitFor();
  await w.page.waitForTimeout(300);
  expect(await w.page.evaluate(() => (window as unknown as { __xss?: number }).__xss)).toBeUndefined();
  expect(await w.page.locator("img, body script").count()).toBe(await w.page.locator("body > script").count());
  await w.close();
});
