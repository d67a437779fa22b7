// Provides the two servers of a run: TINYOBS_URL (data of the demo) and TINYOBS_EMPTY_URL (nothing yet).
// Without them the built dashboard is served twice with the mock behind it.
//
// Must hold: the tests begin once the demo's data are FILLED_MS old, since a rate needs two pushes and a
// demo that has just begun has one; they do not begin at all when that takes longer than FILL_MS_MAX.
import { preview, type PreviewServer } from "vite";
import type { TestProject } from "vitest/node";
import { mockServer } from "../dev/plugin.ts";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
    emptyUrl: string;
  }
}

const FILLED_MS = 20_000;
const FILL_MS_MAX = 60_000;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers: PreviewServer[] = [];
  const serve = async (fill: "demo" | "empty"): Promise<string> => {
    const server = await preview({
      configFile: false,
      logLevel: "error",
      plugins: [mockServer(fill)],
      preview: { port: fill === "demo" ? 41_730 : 41_731, strictPort: false, host: "127.0.0.1" },
    });
    servers.push(server);
    return (server.resolvedUrls?.local[0] ?? "").replace(/\/$/, "");
  };
  const url = process.env["TINYOBS_URL"] ?? (await serve("demo"));
  await filled(url);
  project.provide("url", url);
  project.provide("emptyUrl", process.env["TINYOBS_EMPTY_URL"] ?? (await serve("empty")));
  return async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
}

async function filled(url: string): Promise<void> {
  const giveUpMs = Date.now() + FILL_MS_MAX;
  for (;;) {
    const { OldestMetric: oldest } = (await (await fetch(`${url}/v1/stats`)).json()) as { OldestMetric: string | null };
    if (oldest !== null && Date.parse(oldest) <= Date.now() - FILLED_MS) return;
    if (Date.now() > giveUpMs) throw new Error(`${url} has no data of the last ${FILLED_MS} ms, the oldest is of ${oldest}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
