import { expect, test } from "vitest";
import type { Measurement } from "../measure/measure-graph.ts";
import { decideTiers } from "./decide-tiers.ts";

const cost = { loadMs: 1, runMs: { "1": 1 } };
const measured = (more: Partial<Measurement> = {}): Measurement => ({
  bytes: 23e6,
  native: cost,
  wasm: { ...cost, heapBytes: 80.5e6 },
  difference: { maxAbs: 0, maxRel: 0, unequal: 0 },
  rounding: { maxAbs: 0, maxRel: 0, unequal: 0 },
  outputs: {},
  ...more,
});

test("a model goes to the edge when heap, file and Worker fit an isolate with head-room, and the sum is told", () => {
  const { tiers, reason } = decideTiers("tensor", measured());
  expect(tiers).toEqual(["edge", "origin"]);
  expect(reason).toBe(
    "At the edge, too: 80.5 MB of heap, 23 MB of file while loading and 8 MB for the Worker make 112 MB of the 115 MB an isolate has room for.",
  );
});

test("a model that leaves no head-room goes to the origin only, and the reason is in words", () => {
  const { tiers, reason } = decideTiers("tensor", measured({ wasm: { ...cost, heapBytes: 90e6 } }));
  expect(tiers).toEqual(["origin"]);
  expect(reason).toMatch(/^Not at the edge: 90 MB of heap.*make 121 MB, and an isolate has room for 115 MB\.$/);
});

test("a model that the WASM build cannot run, or answers otherwise there, goes to the origin only", () => {
  const refused = decideTiers("tensor", measured({ wasm: { refused: "The model does not run in the WASM build." } }));
  expect(refused).toEqual({
    tiers: ["origin"],
    reason: "Not at the edge: the model does not run in the WASM build.",
  });
  const apart = decideTiers("tensor", measured({ difference: { maxAbs: 1, maxRel: 0.5, unequal: 0 } }));
  expect(apart).toEqual({
    tiers: ["origin"],
    reason: "Not at the edge: the WASM build differs from native by 50 % of the largest output; 2 % is allowed.",
  });
  const unequal = decideTiers("tensor", measured({ difference: { maxAbs: 0, maxRel: 0, unequal: 0.25 } }));
  expect(unequal.reason).toContain("25 % of its whole outputs");
});

test("a model that rounding moves far by itself may differ as far, four times over", () => {
  const rounding = { maxAbs: 1, maxRel: 0.05, unequal: 0.01 };
  const within = measured({ rounding, difference: { maxAbs: 1, maxRel: 0.19, unequal: 0.03 } });
  expect(decideTiers("tensor", within).tiers).toEqual(["edge", "origin"]);
  const beyond = measured({ rounding, difference: { maxAbs: 1, maxRel: 0.21, unequal: 0 } });
  expect(decideTiers("tensor", beyond).tiers).toEqual(["origin"]);
});

test("a model that takes more heap than models share at the edge goes to the origin only", () => {
  const { tiers, reason } = decideTiers("tensor", measured({ bytes: 1e6, wasm: { ...cost, heapBytes: 104e6 } }));
  expect([tiers, reason]).toEqual([
    ["origin"],
    "Not at the edge: it takes 104 MB of heap, and models share 101 MB there.",
  ]);
});

test("a chat goes to the origin only", () => {
  expect(decideTiers("chat", measured()).tiers).toEqual(["origin"]);
});
