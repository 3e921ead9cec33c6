import { describe, expect, test } from "vitest";
import { addGrant, leaseTtlMs, noLease, spend, wanted } from "./lease.ts";

describe("a lease", () => {
  test("spends exactly the tokens granted, the one that answered the request included", () => {
    let lease = addGrant(noLease, 3, 3, 0);
    let spent = 1;
    for (let next = spend(lease, 1); next !== undefined; next = spend(lease, 1)) {
      lease = next;
      spent++;
    }
    expect(spent).toBe(3);
  });

  test("is worth nothing once it has expired", () => {
    expect(spend(addGrant(noLease, 9, 9, 0), leaseTtlMs)).toBeUndefined();
  });

  test("is never prolonged by a later grant", () => {
    const first = addGrant(noLease, 5, 5, 0);
    const second = addGrant(first, 5, 10, leaseTtlMs - 1);
    expect(second.tokens).toBe(8);
    expect(second.expiresAtMs).toBe(leaseTtlMs);
  });

  test("drops expired tokens instead of adding to them", () => {
    expect(addGrant(addGrant(noLease, 5, 5, 0), 2, 1, leaseTtlMs).tokens).toBe(1);
  });

  test("asks for one at first, for twice as many while they are used up in time, and for one again after a pause", () => {
    expect(wanted(noLease, 0)).toBe(1);
    const busy = addGrant(noLease, 1, 1, 0);
    expect(wanted(busy, 10)).toBe(2);
    expect(wanted(addGrant(busy, 2, 2, 10), 20)).toBe(4);
    expect(wanted(busy, leaseTtlMs)).toBe(1);
  });
});
