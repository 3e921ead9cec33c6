import { expect, test } from "vitest";
import { asks, startFakes } from "./origin-process.ts";

test("an answered request is let go of: thousands fit in a heap that could not hold them", async () => {
  // One request kept whole is some 18 kB: 2500 of them do not fit beside the 20 MB the process itself needs.
  const { origin, call } = await startFakes([{ name: "fake", tokens: ["a"] }], {
    NODE_OPTIONS: "--max-old-space-size=48",
  });
  const caller = async () => {
    for (let turn = 0; turn < 625; turn++) {
      const response = await call("/v1/chat/completions", { json: asks("fake") });
      await response.text();
      expect(response.status).toBe(200);
    }
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  expect((await origin.stop()).status).toBe(0);
});
