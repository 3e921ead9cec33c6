import fc from "fast-check";
import { expect, test } from "vitest";
import { Nonces } from "./nonces.ts";

test("a nonce is taken once while its time counts, whatever comes between", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(500)), { maxLength: 300 }), (asks) => {
      const nonces = new Nonces(1_000);
      const takenMs = new Map<number, number>();
      let nowMs = 0;
      for (const [nonce, ms] of asks) {
        nowMs += ms;
        const before = takenMs.get(nonce);
        const answer = nonces.take(String(nonce), nowMs + 1_000, nowMs);
        if (before !== undefined && nowMs <= before + 1_000) expect(answer).toBe("used");
        if (answer === "taken") takenMs.set(nonce, nowMs);
      }
    }),
  );
});

test("full of nonces that count, it takes no other, and forgets none of them", () => {
  const nonces = new Nonces(2);
  expect([nonces.take("a", 100, 0), nonces.take("b", 100, 0), nonces.take("c", 100, 50)]).toEqual([
    "taken",
    "taken",
    "full",
  ]);
  expect([nonces.take("a", 200, 60), nonces.take("c", 200, 101)]).toEqual(["used", "taken"]);
});
