import fc from "fast-check";
import { expect, test } from "vitest";
import { type AnswerIdentity, identityText } from "./cache-key.ts";

const part = fc.string({ unit: fc.constantFrom("a", "b", "|", ":", "1", "é"), maxLength: 6 });
const identity: fc.Arbitrary<AnswerIdentity> = fc.record({
  tenant: part,
  task: part,
  model: part,
  version: part,
  digest: part,
  input: part,
});

test("two identities share a key text only when they are equal in every part", () => {
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      expect(identityText(a) === identityText(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2_000 },
  );
});

test("moving a character from one part to the next changes the key text", () => {
  const base = { task: "t", model: "m", version: "1", digest: "d", input: "i" };
  expect(identityText({ ...base, tenant: "ab", task: "c" })).not.toBe(
    identityText({ ...base, tenant: "a", task: "bc" }),
  );
});
