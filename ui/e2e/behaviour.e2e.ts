// Keyboard, theme, ranges, folding and a server that goes away.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch, oldestOf, settled, Watched } from "./browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function open(options = {}): Promise<Watched> {
  const w = await Watched.open(browser, inject("url"), options);
  await settled(w.page);
  return w;
}

const themeOf = (page: Page) => page.evaluate(() => document.documentElement.dataset["theme"]);
const ranges = (page: Page) => page.evaluate(() => [...new Set(window.__tinyobs.cards().map((c) => c.range))]);

test("1 to 7 choose the range, the address keeps it", async () => {
  const w = await open();
  const { page } = w;
  for (const [key, range] of [["2", "6h"], ["3", "24h"], ["4", "7d"], ["5", "30d"], ["6", "90d"], ["7", "1y"], ["1", "1h"]] as const) {
    await page.keyboard.press(key);
    expect(await page.locator('.segment[aria-pressed="true"]').textContent()).toBe(range);
    await page.waitForFunction((r) => window.__tinyobs.cards().some((c) => c.range === r), range);
    expect(new URL(page.url()).searchParams.get("range")).toBe(range === "1h" ? null : range);
  }
  await page.getByRole("button", { name: "24h" }).click();
  await page.reload();
  await settled(page);
  expect(await ranges(page)).toEqual(["24h"]);
  await w.close();
});

test("R asks for everything anew; keys with a modifier or typed into a field are left alone", async () => {
  const w = await open();
  const { page } = w;
  const asked = () => page.waitForRequest((r) => r.url().includes("/v1/query/range"), { timeout: 3_000 });
  const full = asked();
  await page.keyboard.press("r");
  const url = new URL((await full).url());
  const end = Number(url.searchParams.get("end"));
  // All of the window, which is the hour, or what there is of it.
  const window = Math.min(3_600_000, Math.max(300_000, end - (await oldestOf(inject("url")))));
  expect(end - Number(url.searchParams.get("start"))).toBeGreaterThanOrEqual(window);
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
    const prevented = await page.evaluate(
      (m) => !document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "r", [m]: true, bubbles: true, cancelable: true })),
      modifier,
    );
    expect(prevented, modifier).toBe(false);
  }
  await page.evaluate(() => {
    const field = document.createElement("input");
    field.setAttribute("aria-label", "a field");
    document.querySelector("main")?.append(field);
    field.focus();
  });
  await page.keyboard.type("t2?");
  expect(await page.locator("main > input").inputValue()).toBe("t2?");
  expect(await themeOf(page)).toBe("light");
  expect(await page.locator('.segment[aria-pressed="true"]').textContent()).toBe("1h");
  expect(await page.locator("dialog").count()).toBe(0);
  await w.close();
});

test("T changes the theme and is remembered; before that the system decides", async () => {
  const w = await open({ colorScheme: "dark" });
  const { page } = w;
  expect(await themeOf(page)).toBe("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.waitForFunction(() => document.documentElement.dataset["theme"] === "light");
  await page.keyboard.press("t");
  expect(await themeOf(page)).toBe("dark");
  expect(await page.evaluate(() => localStorage.getItem("tinyobs-theme"))).toBe("dark");
  await page.reload();
  expect(await themeOf(page)).toBe("dark");
  await settled(page);
  await page.keyboard.press("Control+t");
  expect(await themeOf(page)).toBe("dark");
  await w.close();
});

test("? opens the help, Esc closes it and gives the focus back", async () => {
  const w = await open();
  const { page } = w;
  await page.getByRole("button", { name: "Help" }).focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Help" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Help");
  await w.close();
});

test("a chart is reached, read and opened by keyboard alone", async () => {
  const w = await open();
  const { page } = w;
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.classList.contains("chart") ?? false)) break;
  }
  const article = page.locator("article:focus-within");
  const family = (await article.getAttribute("data-family")) ?? "";
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toContain(`${family}, `);

  const said = article.locator('[aria-live="polite"]').first();
  await page.keyboard.press("Home");
  const first = await said.textContent();
  await page.keyboard.press("ArrowRight");
  const second = await said.textContent();
  expect(first).toMatch(/^\w{3} \d+, \d\d:\d\d:\d\d: .+ \S+/);
  expect(second).not.toBe(first);
  await page.keyboard.press("ArrowLeft");
  expect(await said.textContent()).toBe(first);
  // The legend reads the same cursor, here and on the other cards.
  expect(await page.locator("article .chart-time:not([hidden])").count()).toBeGreaterThan(1);

  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: family }).locator("table").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.classList.contains("chart"))).toBe(true);
  await w.close();
});

test("the mouse moves one crosshair over all charts", async () => {
  const w = await open();
  const { page } = w;
  await page.locator("article .u-over").first().hover();
  await page.waitForFunction(() => document.querySelectorAll("article .chart-time:not([hidden])").length > 1);
  const shown = await page.locator("article .chart-time:not([hidden])").allTextContents();
  const seconds = shown.map((text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0));
  expect(Math.max(...seconds) - Math.min(...seconds)).toBeLessThanOrEqual(30);
  await w.close();
});

test("folded services and opened background groups are remembered", async () => {
  const w = await open();
  const { page } = w;
  const name = await page.locator("section.service", { has: page.locator(".background") }).first().getAttribute("data-service");
  const service = page.locator(`section.service[data-service=${JSON.stringify(name)}]`);
  expect(await service.locator(".background .fold").getAttribute("aria-expanded")).toBe("false");
  await service.locator(".background .fold").click();
  await service.locator('[data-family^="process_"]').first().waitFor();
  await page.reload();
  await settled(page);
  expect(await service.locator(".background .fold").getAttribute("aria-expanded")).toBe("true");
  await service.locator(".service-title .fold").click();
  expect(await service.locator("article").count()).toBe(0);
  await page.reload();
  await service.locator(".service-title .fold").waitFor();
  expect(await service.locator(".service-title .fold").getAttribute("aria-expanded")).toBe("false");
  await w.close();
});

test("a line can be switched off in the legend", async () => {
  const w = await open();
  const { page } = w;
  const item = page.locator("article .legend-item").nth(1);
  await item.click();
  expect(await item.getAttribute("aria-pressed")).toBe("false");
  await item.click();
  expect(await item.getAttribute("aria-pressed")).toBe("true");
  await w.close();
});

test("when the server goes away the charts stay and say so, and recover", async () => {
  const w = await open();
  const { page } = w;
  // Also those below the fold: one that is still loading would add its chart later.
  await page.waitForFunction(
    () =>
      document.querySelector('article[aria-busy="true"]') === null &&
      document.querySelectorAll("article .chart").length === document.querySelectorAll("article .u-over").length,
  );
  const before = await page.locator("article .u-over").count();
  await page.route("**/v1/**", (route) => route.abort());
  await page.getByText("○ Reconnecting…").waitFor();
  await page.getByText("What you see is the last that was received.").waitFor();
  expect(await page.locator("article .u-over").count()).toBe(before);
  await page.unroute("**/v1/**");
  await page.getByText("● Live").waitFor();
  expect(await page.getByText("What you see is the last").count()).toBe(0);
  // The browser itself notes each failed request; nothing else may have gone wrong.
  expect(w.problems.filter((problem) => !/ERR_FAILED/.test(problem))).toEqual([]);
  await page.context().close();
});

test("the page is served under a strict Content-Security-Policy", async () => {
  const response = await fetch(inject("url"));
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("style-src 'self'");
  expect(policy).not.toContain("unsafe");
});
