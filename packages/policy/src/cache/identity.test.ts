import fc from "fast-check";
import { expect, test } from "vitest";
import { type AnswerIdentity, identityText } from "./identity.ts";

const part = fc.string({ unit: fc.constantFrom("a", "b", "|", ":", "1", "é"), maxLength: 6 });
const identity: fc.Arbitrary<AnswerIdentity> = fc.record({
  tenant: part,
  task: part,
  model: part,
  version: part,
  digest: part,
  input: part,
  partition: part,
  vary: fc.array(fc.tuple(part, fc.option(part, { nil: null })), { maxLength: 3 }),
});

test("two identities share a key text only when they are equal in every part", () => {
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      expect(identityText(a) === identityText(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2_000 },
  );
});

test("changing any one part changes the key text", () => {
  fc.assert(
    fc.property(
      identity,
      fc.constantFrom(...(["tenant", "task", "model", "version", "digest", "input", "partition"] as const)),
      part,
      (a, name, other) => {
        expect(identityText({ ...a, [name]: other }) === identityText(a)).toBe(a[name] === other);
      },
    ),
  );
});

test("moving a character from one part to the next changes the key text", () => {
  const base = { task: "t", model: "m", version: "1", digest: "d", input: "i", partition: "", vary: [] };
  expect(identityText({ ...base, tenant: "ab", task: "c" })).not.toBe(
    identityText({ ...base, tenant: "a", task: "bc" }),
  );
});

test("a header that was not sent is another one than an empty one", () => {
  const base = { tenant: "t", task: "t", model: "m", version: "1", digest: "d", input: "i", partition: "" };
  expect(identityText({ ...base, vary: [["x", null]] })).not.toBe(identityText({ ...base, vary: [["x", ""]] }));
});
