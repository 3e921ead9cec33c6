import { cacheStaleSMax, cacheTtlSMax, keyring as keyringSchema } from "@ledge/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { firstKeyring, rotatedKeyring } from "./keyring.ts";

const salt = (of: number) => `${String(of).padStart(43, "A")}=`;
const lifetimeMs = (cacheTtlSMax + cacheStaleSMax) * 1000;

test("a first keyring seals with its only salt", () => {
  const keyring = firstKeyring("acme", 0, salt(1), salt(2), 5);
  expect(keyring).toEqual({
    tenant: "acme",
    number: 0,
    naming: salt(1),
    sealing: [{ id: 1, salt: salt(2), createdAtMs: 5 }],
  });
});

test("after a rotation the tenant is the same, the new salt seals, the ones before still open, and entries keep their names", () => {
  const before = firstKeyring("acme", 0, salt(1), salt(2), 5);
  const after = rotatedKeyring(before, 7, salt(3), 6);
  expect([after.tenant, after.number]).toEqual(["acme", 7]);
  expect(after.naming).toBe(before.naming);
  expect(after.sealing).toEqual([{ id: 2, salt: salt(3), createdAtMs: 6 }, ...before.sealing]);
});

test("at most four salts are kept, none with a used id; one that may still have to open something goes only for the fifth", () => {
  const rotations = fc.array(fc.integer({ min: 0, max: lifetimeMs }), { maxLength: 12 });
  fc.assert(
    fc.property(rotations, (waits) => {
      let nowMs = 0;
      let keyring = firstKeyring("acme", 0, salt(1), salt(2), nowMs);
      const made = [{ id: 1, untilMs: Number.POSITIVE_INFINITY }];
      for (const [i, waitedMs] of waits.entries()) {
        nowMs += waitedMs;
        keyring = rotatedKeyring(keyring, i + 1, salt(i + 3), nowMs);
        for (const one of made) one.untilMs = Math.min(one.untilMs, nowMs);
        made.unshift({ id: i + 2, untilMs: Number.POSITIVE_INFINITY });
        const needed = made.filter(({ untilMs }) => nowMs - untilMs <= lifetimeMs);
        expect(keyringSchema.safeParse(keyring).success).toBe(true);
        expect(keyring.sealing.map(({ id }) => id)).toEqual(needed.slice(0, 4).map(({ id }) => id));
      }
    }),
  );
});
