import { defineConfig } from "vitest/config";

/** Unit tests lie beside the code; test/ holds what crosses a boundary and starts real processes, one file at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "workers/*/src/**/*.test.ts",
            "origin/src/**/*.test.ts",
            "scripts/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "boundary",
          include: ["test/**/*.test.ts"],
          globalSetup: "test/support/build.ts",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
