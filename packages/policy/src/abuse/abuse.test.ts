import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { offenceOf } from "./offence.ts";
import { type AbuseRecord, abuseRule, cleanRecord, delayOf, isBlocked, offend, scoreAt } from "./score.ts";
import { addressSubject, subjectsNamed } from "./subject.ts";

const startMs = 1_800_000_000_000;

/** The record after so many offences, one every `everyMs`. */
function after(offences: number, everyMs: number, from: AbuseRecord = cleanRecord, beginMs = startMs) {
  let record = from;
  let nowMs = beginMs;
  for (let i = 0; i < offences; i++) {
    record = offend(abuseRule, record, 1, nowMs);
    nowMs += everyMs;
  }
  return { record, nowMs };
}

describe("a score", () => {
  test("fades by half in a minute", () => {
    const record = offend(abuseRule, cleanRecord, 8, startMs);
    expect(scoreAt(abuseRule, record, startMs + 60_000)).toBeCloseTo(4);
    expect(scoreAt(abuseRule, record, startMs + 180_000)).toBeCloseTo(1);
  });

  test("blocks at 20 offences in a row, and never at one every five seconds, however long", () => {
    expect(isBlocked(after(19, 0).record, startMs)).toBe(false);
    expect(isBlocked(after(20, 0).record, startMs)).toBe(true);
    expect(after(10_000, 5_000).record.blocks).toBe(0);
  });

  test("never blocks below its threshold, whatever comes when", () => {
    const steps = fc.array(fc.record({ points: fc.double({ min: 0, max: 3, noNaN: true }), ms: fc.nat(120_000) }));
    fc.assert(
      fc.property(steps, (steps) => {
        let record = cleanRecord;
        let nowMs = startMs;
        for (const { points, ms } of steps) {
          nowMs += ms;
          const before = record;
          record = offend(abuseRule, record, points, nowMs);
          const isNew = record.blockedUntilMs !== before.blockedUntilMs;
          if (isNew) expect(scoreAt(abuseRule, before, nowMs) + points).toBeGreaterThanOrEqual(abuseRule.blockAt);
          expect(scoreAt(abuseRule, record, nowMs)).toBeLessThan(abuseRule.blockAt);
        }
      }),
    );
  });
});

describe("a block", () => {
  test("lasts a minute, then twice as long each time, an hour at most, and begins anew after a day without", () => {
    let record = cleanRecord;
    let nowMs = startMs;
    const minutes: number[] = [];
    for (let i = 0; i < 9; i++) {
      ({ record } = after(20, 0, record, nowMs));
      minutes.push((record.blockedUntilMs - nowMs) / 60_000);
      nowMs = record.blockedUntilMs;
    }
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    nowMs += abuseRule.forgiveMs + 1;
    expect(after(20, 0, record, nowMs).record.blockedUntilMs - nowMs).toBe(60_000);
  });

  test("does not grow by what is sent while it lasts", () => {
    const { record } = after(20, 0);
    expect(after(1_000, 10, record).record).toEqual(record);
  });
});

test("who is bad is slowed down by up to a second, more with each point, and who is not, not at all", () => {
  expect([0, 4.9, 5, 12, 19.9].map((score) => delayOf(abuseRule, score))).toEqual([0, 0, 63, 500, 994]);
  expect(delayOf(abuseRule, 1_000)).toBe(1_000);
});

test("refusals for somebody's own limits, for our faults and for plain mistakes say nothing against a caller", () => {
  for (const code of [
    "rate_limited",
    "overloaded",
    "invalid_json",
    "invalid_request",
    "missing_credentials",
  ] as const) {
    expect(offenceOf(code)).toBeUndefined();
  }
});

describe("an address", () => {
  test.each([
    ["203.0.113.7", "ip:203.0.113.7"],
    ["::ffff:203.0.113.7", "ip:203.0.113.7"],
    ["2001:db8:0:1:a:b:c:d", "ip:2001:db8:0:1::/64"],
    ["2001:DB8:0:1::2", "ip:2001:db8:0:1::/64"],
    ["127.0.0.1", undefined],
    ["::1", undefined],
    ["unknown", undefined],
    [null, undefined],
  ])("%s stands for %s", (text, subject) => expect(addressSubject(text)).toBe(subject));

  test("is named by an operator as it is listed or as it is, and a key by its id", () => {
    expect(subjectsNamed("2001:db8:0:1::9")).toContain("ip:2001:db8:0:1::/64");
    expect(subjectsNamed("ip:2001:db8:0:1::/64")).toContain("ip:2001:db8:0:1::/64");
    expect(subjectsNamed("203.0.113.7")).toContain("ip:203.0.113.7");
    expect(subjectsNamed("0123456789abcdef01234567")).toContain("key:0123456789abcdef01234567");
  });
});
