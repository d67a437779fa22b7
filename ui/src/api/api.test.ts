import { describe, expect, test } from "vitest";
import { Api, ApiError, isAbort } from "./client.ts";
import { RequestQueue } from "./queue.ts";
import { selector } from "./selector.ts";

function apiAnswering(body: unknown, status = 200, headers: Record<string, string> = {}) {
  const asked: string[] = [];
  const fetcher = (async (url: string) => {
    asked.push(url);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return new Response(text, { status, headers });
  }) as unknown as typeof fetch;
  return { api: new Api("", fetcher), asked };
}

describe("Api", () => {
  test("asks for a range by relative address, with everything escaped", async () => {
    const { api, asked } = apiAnswering({ data: [] });
    const match = selector({ __name__: 'a"&b', service: "s" });
    expect(await api.range({ matches: [match, "{}"], startMs: 1.5, endMs: 10.5, maxPoints: 300 })).toEqual([]);
    const url = new URL(asked[0] as string, "http://x/prefix/");
    expect(url.pathname).toBe("/prefix/v1/query/range");
    expect([...url.searchParams]).toEqual([
      ["match[]", '{__name__="a\\"&b",service="s"}'],
      ["match[]", "{}"],
      ["start", "1"],
      ["end", "11"],
      ["maxPoints", "300"],
    ]);
  });

  test("an error carries the server's message and status", async () => {
    const { api } = apiAnswering({ error: "Bad Request", message: "maxPoints must be 1 to 5000" }, 400);
    const error = await api.stats().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ message: "maxPoints must be 1 to 5000", status: 400 });
  });

  test("an error page of a proxy and a half answer are errors too", async () => {
    await expect(apiAnswering("<html>", 502).api.stats()).rejects.toMatchObject({ message: "HTTP 502", status: 502 });
    await expect(apiAnswering("<html>").api.stats()).rejects.toMatchObject({ message: "the answer is not JSON" });
  });

  test("no answer is status 0, an abort stays an abort", async () => {
    const failing = (error: unknown) => new Api("", (() => Promise.reject(error)) as unknown as typeof fetch);
    await expect(failing(new TypeError("fetch failed")).stats()).rejects.toMatchObject({ status: 0 });
    const error = await failing(new DOMException("x", "AbortError")).stats().catch((e: unknown) => e);
    expect(isAbort(error)).toBe(true);
  });

  test("a wrong clock is corrected by the server's, a second is not", async () => {
    const at = (ms: number) => ({ Date: new Date(Date.now() + ms).toUTCString() });
    const off = apiAnswering({}, 200, at(-600_000)).api;
    await off.stats();
    expect(Math.abs(off.serverNow() - (Date.now() - 600_000))).toBeLessThan(2_000);
    const right = apiAnswering({}, 200, at(-1_000)).api;
    await right.stats();
    expect(Math.abs(right.serverNow() - Date.now())).toBeLessThan(50);
  });
});

describe("selector", () => {
  test("escapes quotes, backslashes and newlines", () => {
    expect(selector({ __name__: 'a"b\\c\nd' })).toBe('{__name__="a\\"b\\\\c\\nd"}');
  });

  test("keeps markup and braces as they are, inside the quotes", () => {
    expect(selector({ __name__: "<img src=x>", service: "} or {" })).toBe('{__name__="<img src=x>",service="} or {"}');
  });
});

describe("RequestQueue", () => {
  test("runs at most its limit, the urgent first", async () => {
    const queue = new RequestQueue(2);
    const started: string[] = [];
    const finish = new Map<string, () => void>();
    const task = (name: string) => () =>
      new Promise<void>((resolve) => {
        started.push(name);
        finish.set(name, resolve);
      });
    const all = [
      queue.run(1, task("a")),
      queue.run(1, task("b")),
      queue.run(1, task("c")),
      queue.run(2, task("urgent")),
      queue.run(1, task("d")),
    ];
    expect(started).toEqual(["a", "b"]);
    for (const name of ["a", "b", "urgent", "c", "d"]) {
      finish.get(name)?.();
      await new Promise((resolve) => setTimeout(resolve));
    }
    await Promise.all(all);
    expect(started).toEqual(["a", "b", "urgent", "c", "d"]);
  });

  test("an aborted entry never runs, a failing one frees its place", async () => {
    const queue = new RequestQueue(1);
    const ran: string[] = [];
    const failing = queue.run(1, () => Promise.reject(new Error("no")));
    const abort = new AbortController();
    const aborted = queue.run(1, async () => void ran.push("aborted"), abort.signal);
    const after = queue.run(1, async () => void ran.push("after"));
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    await expect(failing).rejects.toThrow("no");
    await after;
    expect(ran).toEqual(["after"]);
  });
});
