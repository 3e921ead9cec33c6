import { describe, expect, test } from "vitest";
import { neverLooked, snapshotUse } from "./snapshot-refresh.ts";

const now = 1_000_000;
const looked = (ms: number) => ({ freshMs: now - ms, askedMs: now - ms, failedMs: 0 });

describe("a snapshot", () => {
  test("younger than a second is used as it is", () => {
    expect(snapshotUse(looked(999), now)).toBe("use");
  });

  test("of one to three seconds is used, and one call looks for a newer one behind its answer", () => {
    expect(snapshotUse(looked(1_000), now)).toBe("renew");
    expect(snapshotUse({ ...looked(1_000), askedMs: now }, now)).toBe("use");
    expect(snapshotUse(looked(2_999), now)).toBe("renew");
  });

  test("older than that is looked for first, and so is an isolate's very first", () => {
    expect(snapshotUse(looked(3_000), now)).toBe("wait");
    expect(snapshotUse({ ...looked(3_000), askedMs: now }, now)).toBe("wait");
    expect(snapshotUse(neverLooked, now)).toBe("wait");
  });

  test("goes on being used when a look failed, and nobody waits for the next look", () => {
    const failed = { freshMs: now - 60_000, askedMs: now - 500, failedMs: now - 400 };
    expect(snapshotUse(failed, now)).toBe("use");
    expect(snapshotUse({ ...failed, askedMs: now - 1_500, failedMs: now - 1_400 }, now)).toBe("renew");
    expect(snapshotUse({ ...failed, freshMs: 0 }, now)).toBe("use");
  });

  test("is looked for first again when the failure is long past", () => {
    expect(snapshotUse({ freshMs: now - 60_000, askedMs: now - 5_000, failedMs: now - 5_000 }, now)).toBe("wait");
  });
});
