// Browser tests against TINYOBS_URL (filled by the demo) and TINYOBS_EMPTY_URL (nothing stored yet);
// without them a built dist/ is served with the mock's data. One file after the other: one Chromium.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["e2e/**/*.e2e.ts"],
    globalSetup: ["e2e/setup.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
