import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isApiKey, isKeyId, keyId, mintKey } from "./api-key.ts";

const keyedHash = (text: string) => createHmac("sha256", "pepper").update(text).digest("hex");
const fields = { tenant: "t", name: "n", scopes: [], createdAtMs: 1_767_225_600_000 };

test("a key carries all 256 bits in base64url, and what is stored holds only its hash", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (random) => {
      const { key, stored } = mintKey(random, fields, keyedHash);
      expect(key).toBe(`ledge_${Buffer.from(random).toString("base64url")}`);
      expect(isApiKey(key)).toBe(true);
      expect(stored.hash).toBe(keyedHash(key));
      expect(isKeyId(stored.id)).toBe(true);
      expect(stored.id).toBe(keyId(stored.hash));
      expect(JSON.stringify(stored)).not.toContain(key.slice("ledge_".length));
    }),
  );
});

test("a key of fewer than 32 random bytes is not made", () => {
  expect(() => mintKey(new Uint8Array(31), fields, keyedHash)).toThrow(RangeError);
});

test.each([
  "",
  "ledge_",
  `ledge_${"a".repeat(42)}`,
  `ledge_${"a".repeat(44)}`,
  `Ledge_${"a".repeat(43)}`,
  `ledge_${"+".repeat(43)}`,
])("%o is not an API key", (text) => expect(isApiKey(text)).toBe(false));
