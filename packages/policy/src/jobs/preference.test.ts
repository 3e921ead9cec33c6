import { expect, test } from "vitest";
import { asyncPreference } from "./preference.ts";

test.each([
  ["respond-async", {}],
  ["Respond-Async", {}],
  ["respond-async, wait=10", { waitMs: 10_000 }],
  ["wait=10, respond-async", { waitMs: 10_000 }],
  ['respond-async, wait="3"', { waitMs: 3_000 }],
  ["handling=lenient, respond-async; foo=bar , wait=0", { waitMs: 0 }],
  ["respond-async, wait=5, wait=50", { waitMs: 5_000 }],
])("%o prefers to be answered later", (header, preference) => {
  expect(asyncPreference(header)).toEqual(preference);
});

test.each([null, "", "wait=10", "return=minimal", "not-respond-async", ";respond-async"])("%o does not", (header) => {
  expect(asyncPreference(header)).toBeUndefined();
});

test.each(["wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "wait=99999999"])(
  "a wait that cannot be read, %o, is passed over",
  (wait) => {
    expect(asyncPreference(`respond-async, ${wait}`)).toEqual({});
  },
);
