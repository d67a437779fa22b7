// Puts the mock into Vite's own server, for development (`npm run dev:mock`) and for browser tests that
// run without a TinyObs server. Must hold: the built page is served under the real server's CSP.
import type { Connect, Plugin } from "vite";
import { demo } from "./demo.ts";
import { handle } from "./routes.ts";
import { MockStore } from "./store.ts";

const CSP = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'",
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join("; ");
const PUSH_MS = 5_000;

export function mockServer(fill: "demo" | "empty"): Plugin {
  const store = new MockStore();
  let started = false;
  const start = (): Connect.NextHandleFunction => {
    if (fill === "demo" && !started) {
      started = true;
      const next = demo(store, Date.now());
      setInterval(() => next(Date.now()), PUSH_MS).unref();
    }
    return (req, res, pass) => {
      if (!req.url?.startsWith("/v1/")) return pass();
      handle(store, req, res).catch((error: unknown) => pass(error));
    };
  };
  return {
    name: `tinyobs-mock-${fill}`,
    configureServer(server) {
      server.middlewares.use(start());
    },
    configurePreviewServer(server) {
      server.middlewares.use((_req, res, pass) => {
        res.setHeader("Content-Security-Policy", CSP);
        pass();
      });
      server.middlewares.use(start());
    },
  };
}
