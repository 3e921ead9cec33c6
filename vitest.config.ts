import { defineConfig } from "vitest/config";

/**
 * Unit tests lie beside the code; test/ holds what crosses a boundary and starts real processes, two files at a time: tests
 * wait for processes to start and to answer more than they compute.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          sequence: { groupOrder: 0 },
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
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
