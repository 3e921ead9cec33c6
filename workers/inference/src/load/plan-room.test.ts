import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Holding, heapAfter, needOf, planRoom, type Room, runtimeBytes } from "./plan-room.ts";

const mib = 2 ** 20;

const holding = (digest: string, usedAt: number, more: Partial<Holding> = {}): Holding => ({
  digest,
  usedAt,
  bytes: 20 * mib,
  ownRuntime: true,
  idle: true,
  heapBytes: runtimeBytes + 20 * mib,
  ...more,
});
const small = (digest: string, usedAt: number) =>
  holding(digest, usedAt, { bytes: 4 * mib, ownRuntime: false, heapBytes: 0 });

const room = (holdings: readonly Holding[], more: Partial<Room> = {}): Room => ({
  budgetBytes: 96 * mib,
  sharedHeapBytes: 0,
  holdings,
  ...more,
});
const large = { bytes: 20 * mib, ownRuntime: true };

describe("room for a model", () => {
  test("is there when it fits, and nobody goes", () => {
    expect(planRoom(room([holding("a", 1)]), large)).toEqual([]);
  });

  test("is made by the least recently used, and no more of them than it takes", () => {
    expect(planRoom(room([holding("b", 2), holding("a", 1)]), large)).toEqual(["a"]);
  });

  test("is never made by one that calls wait for", () => {
    expect(planRoom(room([holding("a", 1, { idle: false }), holding("b", 2)]), large)).toEqual(["b"]);
    expect(planRoom(room([holding("a", 1, { idle: false }), holding("b", 2, { idle: false })]), large)).toBeUndefined();
  });

  test("does not cost a small model whose runtime would live on", () => {
    const shared = { sharedHeapBytes: runtimeBytes + 8 * mib };
    expect(
      planRoom(room([small("s", 1), small("t", 9), holding("a", 2)], shared), { ...large, bytes: 30 * mib }),
    ).toEqual(["a"]);
  });

  test("is found for a small model inside what the shared runtime holds already", () => {
    const full = room([small("s", 1), holding("a", 2)], { budgetBytes: 60 * mib, sharedHeapBytes: 24 * mib });
    expect(planRoom(full, { bytes: 4 * mib, ownRuntime: false })).toEqual([]);
    expect(planRoom(full, { bytes: 5 * mib, ownRuntime: false })).toEqual(["s"]);
  });

  test("keeps the budget whenever it says so, and is refused only when even the idle ones' memory is not enough", () => {
    const bytes = fc.integer({ min: 0, max: 60 }).map((size) => size * mib);
    const one = fc.record({ bytes, ownRuntime: fc.boolean(), idle: fc.boolean(), usedAt: fc.nat(99) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), bytes, fc.boolean(), (given, need, ownRuntime) => {
        const holdings = given.map((each, at) =>
          holding(`${at}`, each.usedAt, { ...each, heapBytes: each.ownRuntime ? runtimeBytes + each.bytes : 0 }),
        );
        const held = holdings.filter((each) => !each.ownRuntime).reduce((sum, each) => sum + each.bytes, 0);
        const asked = room(holdings, { sharedHeapBytes: held === 0 ? 0 : runtimeBytes + held });
        const gone = planRoom(asked, { bytes: need, ownRuntime });
        const idle = holdings.filter((each) => each.idle).map(({ digest }) => digest);
        if (gone === undefined)
          expect(heapAfter(asked, idle, { bytes: need, ownRuntime })).toBeGreaterThan(asked.budgetBytes);
        else {
          expect(heapAfter(asked, gone, { bytes: need, ownRuntime })).toBeLessThanOrEqual(asked.budgetBytes);
          for (const digest of gone) expect(idle).toContain(digest);
        }
      }),
    );
  });
});

describe("what a package needs", () => {
  const sized = (bytes: number) => ({ file: { path: "model.onnx", bytes, sha256: "0".repeat(64) } });

  test("is what was measured, else 2.07 × its files; a large one gets a runtime of its own", () => {
    expect(needOf({ ...sized(10 * mib) } as never)).toEqual({ bytes: 2.07 * 10 * mib, ownRuntime: true });
    expect(needOf({ ...sized(mib) } as never)).toEqual({ bytes: 2.07 * mib, ownRuntime: false });
    const measured = { heapBytes: 35 * mib, loadMs: 1, runMs: {} };
    expect(needOf({ ...sized(22 * mib), measured } as never)).toEqual({ bytes: 19 * mib, ownRuntime: true });
  });
});
