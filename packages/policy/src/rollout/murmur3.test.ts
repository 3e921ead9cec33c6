import { expect, test } from "vitest";
import { murmur3 } from "./murmur3.ts";

// From the published test vectors those whose bytes are whole blocks of code units: nothing, and four zero bytes.
test.each([
  ["", 0, 0],
  ["", 1, 0x514e28b7],
  ["", 0xffffffff, 0x81f16f39],
  ["\0", 0, 0x2362f9de],
] as const)("the hash of %o with seed %i is the published one", (text, seed, hash) => {
  expect(murmur3(text, seed)).toBe(hash);
});

test("every bit of the hash is set about half the time, for keys that hardly differ", () => {
  const keys = 20_000;
  for (let bit = 0; bit < 32; bit++) {
    let set = 0;
    for (let key = 0; key < keys; key++) set += (murmur3(`user-${key}`) >>> bit) & 1;
    // Five standard deviations of a fair coin.
    expect(Math.abs(set - keys / 2), `bit ${bit}`).toBeLessThan(5 * Math.sqrt(keys / 4));
  }
});
