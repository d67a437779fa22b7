// Unit tests: pure modules in Node, no browser. The browser tests have vitest.e2e.config.ts.
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["src/**/*.test.ts", "dev/**/*.test.ts"] } });
