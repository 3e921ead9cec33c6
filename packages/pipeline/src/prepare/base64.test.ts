import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64 } from "./base64.ts";

test("base64 gives back the bytes it was made of, with and without its padding", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect(decodeBase64(text)).toEqual(bytes);
      expect(decodeBase64(text.replaceAll("=", ""))).toEqual(bytes);
    }),
  );
});

test.each(["A", "AAAAA", "AA=", "A===", "====", "AA==AA", "A-_A", "AA A", "AAA\n", "ÄAAA"])(
  "%j is no base64",
  (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  },
);
