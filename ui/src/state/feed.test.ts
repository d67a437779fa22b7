import { describe, expect, test, vi } from "vitest";
import type { Api, RangeQuery } from "../api/client.ts";
import { RequestQueue } from "../api/queue.ts";
import type { RangeSeries } from "../api/types.ts";
import type { Family } from "../derive/family.ts";
import { gridEnd, gridStart } from "../derive/grid.ts";
import { serviceSelectors } from "../derive/service.ts";
import { Feed, type Drawn } from "./feed.ts";
import { rangeById } from "./ranges.ts";

const HOUR = rangeById("1h");
const NOW = 1_795_306_500_000;

const family: Family = {
  name: "users",
  metric: "users",
  service: "shop",
  kind: "gauge",
  drawing: "gauge",
  help: "",
  unit: "",
};

const answer = (...points: [number, number][]): RangeSeries[] => [
  { metric: "users", labels: { service: "shop" }, points: points.map(([t, v]) => ({ t, v })), resolution: "raw", stretches: [] },
];

function setup() {
  const range = vi.fn<(query: RangeQuery, signal?: AbortSignal) => Promise<readonly RangeSeries[]>>();
  let now = NOW;
  let oldest: number | null = null;
  const api = { range, serverNow: () => now } as unknown as Api;
  const feed = new Feed(family, api, new RequestQueue(), () => oldest);
  const values = () => feed.drawn.value?.data.lines[0]?.values;
  const begin = (ms: number) => (oldest = ms);
  return { feed, range, values, begin, pass: (ms: number) => (now += ms) };
}

describe("feed", () => {
  test("loads the whole window with a selector of name and service", async () => {
    const { feed, range, values } = setup();
    range.mockResolvedValue(answer([NOW - 20_000, 1], [NOW - 10_000, 2]));
    await feed.load(HOUR, 1, 400);
    expect(range.mock.calls[0]?.[0]).toEqual({
      matches: serviceSelectors("users", "shop"),
      startMs: NOW - HOUR.rangeMs - 2 * HOUR.stepMs,
      endMs: NOW,
      maxPoints: 800,
    });
    expect(values()).toEqual([1, 2]);
  });

  test("C-3 a refresh asks for the newest part and keeps the rest", async () => {
    const { feed, range, values, pass } = setup();
    range.mockResolvedValueOnce(answer([NOW - 80_000, 1], [NOW - 70_000, 2]));
    await feed.load(HOUR, 1, 400);
    pass(5_000);
    range.mockResolvedValueOnce(answer([NOW + 1_000, 3]));
    await feed.refresh(1, 400);
    expect(range.mock.calls[1]?.[0].startMs).toBe(NOW - 60_000);
    // 71 s of silence after pushes 10 s apart: a break.
    expect(values()).toEqual([1, 2, null, 3]);
  });

  test("young data fill the window, in bins as fine as their pushes", async () => {
    const { feed, range, begin } = setup();
    begin(NOW - 10 * 60_000);
    range.mockResolvedValue(answer(...Array.from({ length: 5 }, (_, i): [number, number] => [NOW - 50_000 + i * 10_000, i])));
    await feed.load(HOUR, 1, 400);
    expect(range.mock.calls[0]?.[0]).toMatchObject({ startMs: NOW - 605_000 - 2 * 5_000, endMs: NOW });
    const { young, grid } = feed.drawn.value as Drawn;
    expect([young, grid.stepMs, gridStart(grid), gridEnd(grid)]).toEqual([true, 10_000, NOW - 610_000, NOW]);
  });

  test("C-3 older data pushed later are asked for at once", async () => {
    const { feed, range, begin, pass } = setup();
    range.mockResolvedValue(answer([NOW, 1]));
    begin(NOW - 10_000);
    await feed.load(HOUR, 1, 400);
    begin(NOW - 20 * 60_000);
    pass(5_000);
    await feed.refresh(1, 400);
    expect(range.mock.calls[1]?.[0].startMs).toBe(NOW - 1_205_000 - 2 * 10_000);
    pass(5_000);
    await feed.refresh(1, 400);
    expect(range.mock.calls[2]?.[0].startMs).toBe(NOW + 5_000 - 60_000);
  });

  test("C-4 bins do not get finer between two full loads", async () => {
    const { feed, range, begin, pass } = setup();
    const slow = Array.from({ length: 9 }, (_, i): [number, number] => [NOW - 90_000 + i * 10_000, i]);
    begin(NOW - 90_000);
    range.mockResolvedValueOnce(answer(...slow));
    await feed.load(HOUR, 1, 400);
    expect(feed.drawn.value?.grid.stepMs).toBe(10_000);
    const fast = Array.from({ length: 60 }, (_, i): [number, number] => [NOW - 55_000 + i * 1_000, i]);
    pass(5_000);
    range.mockResolvedValueOnce(answer(...fast));
    await feed.refresh(1, 400);
    expect(feed.drawn.value?.grid.stepMs).toBe(10_000);
  });

  test("C-3 after a while everything is asked for again", async () => {
    const { feed, range, pass } = setup();
    range.mockResolvedValue(answer([NOW, 1]));
    await feed.load(HOUR, 1, 400);
    pass(6 * 60_000);
    await feed.refresh(1, 400);
    const { startMs = 0, endMs = 0 } = range.mock.calls[1]?.[0] ?? {};
    expect(endMs - startMs).toBeGreaterThanOrEqual(HOUR.rangeMs);
  });

  test("C-2 an error keeps what is drawn, and the next answer clears it", async () => {
    const { feed, range, values } = setup();
    range.mockResolvedValueOnce(answer([NOW - 5_000, 1]));
    await feed.load(HOUR, 1, 400);
    range.mockRejectedValueOnce(new Error("the server does not answer"));
    await feed.refresh(1, 400);
    expect(feed.problem.value).toBe("the server does not answer");
    expect(values()).toEqual([1]);
    range.mockResolvedValueOnce(answer([NOW - 5_000, 1]));
    await feed.refresh(1, 400);
    expect(feed.problem.value).toBeNull();
  });

  test("C-1 a new range aborts the request under way, whose answer is not drawn", async () => {
    const { feed, range, values } = setup();
    let late: (series: RangeSeries[]) => void = () => {};
    range.mockImplementationOnce(() => new Promise((resolve) => (late = resolve)));
    const first = feed.load(HOUR, 1, 400);
    range.mockResolvedValueOnce(answer([NOW, 24]));
    const second = feed.load(rangeById("24h"), 1, 400);
    expect(range.mock.calls[0]?.[1]?.aborted).toBe(true);
    late(answer([NOW, 1]));
    await Promise.all([first, second]);
    expect(values()).toEqual([24]);
    expect(feed.drawn.value?.range.id).toBe("24h");
    expect(feed.loading.value).toBe(false);
  });

  test("C-5 long ranges ask for the newest minutes once more, as samples", async () => {
    const { feed, range, values } = setup();
    const [series] = answer([NOW - 7_200_000, 1], [NOW - 3_600_000, 2]);
    const year = rangeById("1y");
    range.mockImplementation(async ({ startMs }) =>
      startMs < NOW - 3_600_000
        ? [{ ...(series as RangeSeries), resolution: "1h", stretches: [{ resolution: "1h", start: NOW - 7_200_000, end: NOW }] }]
        : answer([NOW - 10_000, 3], [NOW - 5_000, 4]),
    );
    await feed.load(year, 1, 400);
    expect(range.mock.calls.map(([query]) => [query.startMs, query.maxPoints])).toEqual([
      [Math.ceil(NOW / year.stepMs) * year.stepMs - year.rangeMs - 2 * year.stepMs, 2_000],
      [NOW - 15 * 60_000, 2_000],
    ]);
    expect(values()).toEqual([1, 2, 3, 4]);
  });

  test("C-1 a refresh while loading does nothing", async () => {
    const { feed, range } = setup();
    range.mockResolvedValue(answer([NOW, 1]));
    const load = feed.load(HOUR, 1, 400);
    await feed.refresh(1, 400);
    await load;
    expect(range).toHaveBeenCalledTimes(1);
  });
});
