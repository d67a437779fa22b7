// Provides the two servers of a run: TINYOBS_URL (data of the demo) and TINYOBS_EMPTY_URL (nothing yet).
// Without them the built dashboard is served twice with the mock behind it.
import { preview, type PreviewServer } from "vite";
import type { TestProject } from "vitest/node";
import { mockServer } from "../dev/plugin.ts";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
    emptyUrl: string;
  }
}

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
  project.provide("url", process.env["TINYOBS_URL"] ?? (await serve("demo")));
  project.provide("emptyUrl", process.env["TINYOBS_EMPTY_URL"] ?? (await serve("empty")));
  return async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
}
