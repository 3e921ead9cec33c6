import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clockSkewMs, isTimely, parseSignature, signatureText, signedHeaders, textToSign } from "./signature.ts";

const hex = (chars: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: chars, maxLength: chars });
const line = fc.string({ unit: fc.constantFrom(..."abcXYZ019 /?=:;-"), maxLength: 20 });
const request = fc.record({
  method: fc.constantFrom("GET", "POST"),
  path: line,
  bodySha256: hex(64),
  atMs: fc.nat(2 ** 41),
  nonce: hex(32),
  headers: fc.array(line, { minLength: signedHeaders.length, maxLength: signedHeaders.length }),
});
type Drawn = typeof request extends fc.Arbitrary<infer T> ? T : never;

function textOf({ headers, ...rest }: Drawn): string {
  return textToSign({ ...rest, header: (name) => headers[signedHeaders.indexOf(name)] ?? null });
}

test("requests that differ in anything are signed over different texts", () => {
  fc.assert(
    fc.property(request, request, (a, b) => {
      expect(textOf(a) === textOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test("a signature is read as it was written", () => {
  const bodySha256 = createHash("sha256").update("").digest("hex");
  const mac = createHmac("sha256", "secret").update("text").digest("hex");
  const signature = { atMs: 1_700_000_000_000, nonce: "0".repeat(32), bodySha256, mac };
  expect(parseSignature(signatureText(signature))).toEqual(signature);
});

test.each([
  "",
  "v=1",
  "v=2;at=1;nonce=0;body=0;mac=0",
  `v=1;at=1;nonce=${"0".repeat(32)};body=${"0".repeat(64)};mac=${"G".repeat(64)}`,
])("%j is no signature", (text) => {
  expect(parseSignature(text)).toBeUndefined();
});

test("a time is taken within thirty seconds of one's own, before and after", () => {
  expect([-clockSkewMs, 0, clockSkewMs].map((offMs) => isTimely(1e12 + offMs, 1e12))).toEqual([true, true, true]);
  expect([-clockSkewMs - 1, clockSkewMs + 1].map((offMs) => isTimely(1e12 + offMs, 1e12))).toEqual([false, false]);
});
