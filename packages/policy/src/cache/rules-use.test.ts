import { describe, expect, test } from "vitest";
import { neverLooked } from "../snapshot-refresh.ts";
import { rulesUse } from "./rules-use.ts";

const now = 1_000_000;
const looked = (ms: number) => ({ freshMs: now - ms, askedMs: now - ms, failedMs: 0 });

describe("the cache's rules", () => {
  test("younger than a second are used as they are", () => {
    expect(rulesUse(looked(999), now)).toEqual({ by: "known", renew: false });
  });

  test("of one to two seconds are used, and one call looks for newer ones behind its answer", () => {
    expect(rulesUse(looked(1_000), now)).toEqual({ by: "known", renew: true });
    expect(rulesUse({ ...looked(1_999), askedMs: now }, now)).toEqual({ by: "known", renew: false });
  });

  test("older than that are looked for first, and so are an isolate's very first", () => {
    expect(rulesUse(looked(2_000), now)).toEqual({ by: "look", renew: false });
    expect(rulesUse(neverLooked, now)).toEqual({ by: "look", renew: false });
  });

  test("serve for a minute while they cannot be read, and nobody waits for the next look", () => {
    const failed = { freshMs: now - 59_999, askedMs: now - 500, failedMs: now - 400 };
    expect(rulesUse(failed, now)).toEqual({ by: "known", renew: false });
    expect(rulesUse({ ...failed, askedMs: now - 1_000 }, now)).toEqual({ by: "known", renew: true });
  });

  test("after a minute in which they could not be read are too old to answer by", () => {
    const failed = { freshMs: now - 60_000, askedMs: now - 500, failedMs: now - 400 };
    expect(rulesUse(failed, now)).toEqual({ by: "none", renew: false });
    expect(rulesUse({ ...failed, askedMs: now - 1_000 }, now)).toEqual({ by: "none", renew: true });
    expect(rulesUse({ freshMs: 0, askedMs: now - 500, failedMs: now - 400 }, now).by).toBe("none");
  });
});
