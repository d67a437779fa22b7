// How the dashboard is built and developed.
//
//   npm run dev        Vite in front of a TinyObs server on TINYOBS_URL (default 127.0.0.1:8080)
//   npm run dev:mock   the same without a server: dev/mock.ts answers with demo data
//   npm run build      type check, then dist/ with hashed names and a .gz beside each asset
import { defineConfig } from "vite";
import { precompress, themeBoot } from "./build/plugins.ts";
import { mockServer } from "./dev/plugin.ts";

export default defineConfig(({ mode }) => {
  const target = process.env["TINYOBS_URL"] ?? "http://127.0.0.1:8080";
  const mock = mode === "mock";
  return {
    // Relative addresses, so the dashboard also works below a path of a reverse proxy.
    base: "./",
    plugins: [themeBoot(), precompress(), ...(mock ? [mockServer("demo")] : [])],
    build: {
      target: "es2022",
      // A data: URI is one more thing for the CSP to allow; every asset is a file.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: {
      // The server checks Host and Origin, so the proxy must present its own address.
      ...(mock ? {} : { proxy: { "/v1": { target, changeOrigin: true } } }),
    },
  };
});
