import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { hmacFor } from "./sign.ts";

test.each([1, 16, 63, 64, 65, 200])(
  "under a secret of %i bytes the MAC is HMAC-SHA-256, whatever the text",
  (bytes) => {
    const secret = "s".repeat(bytes);
    for (const text of ["", "a", "é\n".repeat(30), "x".repeat(10_000)]) {
      expect(hmacFor(secret)(text)).toBe(createHmac("sha256", secret).update(text).digest("hex"));
    }
  },
);
