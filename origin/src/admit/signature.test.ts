import { createHash, createHmac, randomBytes } from "node:crypto";
import { signatureText, textToSign } from "@ledge/policy/origins";
import { beforeEach, expect, test } from "vitest";
import { type Presented, signatureCheck } from "./signature.ts";

const secret = "a-secret-of-enough-length";
const bodySha256 = createHash("sha256").update("{}").digest("hex");
const named: Readonly<Record<string, string>> = {
  "Content-Type": "application/json",
  "Ledge-Request-Id": "r-1",
  "Ledge-Payer": "payer",
  "Ledge-Timeout-Ms": "1000",
  "Ledge-Deadline": "1700000001000",
};

let nowMs = 1_700_000_000_000;
let check: ReturnType<typeof signatureCheck>;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  check = signatureCheck(secret, () => nowMs);
});

function signed(under = secret): Presented {
  const request = { method: "POST", path: "/v1/predict?a=1", header: (name: string) => named[name] ?? null };
  const nonce = randomBytes(16).toString("hex");
  const mac = createHmac("sha256", under)
    .update(textToSign({ ...request, atMs: nowMs, nonce, bodySha256 }))
    .digest("hex");
  return { ...request, signature: signatureText({ atMs: nowMs, nonce, bodySha256, mac }) };
}

const refused = { fault: { code: "invalid_credentials" } };

test("what is signed by the secret passes, and names the body that it is of", () => {
  expect(check(signed())).toEqual({ ok: true, value: bodySha256 });
});

test.each<[string, (request: Presented) => Presented]>([
  ["method", (request) => ({ ...request, method: "GET" })],
  ["path", (request) => ({ ...request, path: "/v1/chat/completions?a=1" })],
  ["query", (request) => ({ ...request, path: "/v1/predict?a=2" })],
  [
    "body's digest",
    (request) => ({ ...request, signature: request.signature.replace(/body=[0-9a-f]{4}/, "body=0000") }),
  ],
  ["time", (request) => ({ ...request, signature: request.signature.replace(/at=[0-9]+/, `at=${nowMs + 1}`) })],
  ["nonce", (request) => ({ ...request, signature: request.signature.replace(/nonce=[0-9a-f]{4}/, "nonce=0000") })],
  ["MAC", (request) => ({ ...request, signature: request.signature.replace(/mac=[0-9a-f]{4}/, "mac=0000") })],
  [
    "payer",
    (request) => ({ ...request, header: (name) => (name === "Ledge-Payer" ? "another" : request.header(name)) }),
  ],
  [
    "deadline",
    (request) => ({ ...request, header: (name) => (name === "Ledge-Deadline" ? null : request.header(name)) }),
  ],
  [
    "type",
    (request) => ({ ...request, header: (name) => (name === "Content-Type" ? "text/plain" : request.header(name)) }),
  ],
  ["form", (request) => ({ ...request, signature: `${request.signature};` })],
])("a request whose %s was changed is refused", (_part, changed) => {
  expect(check(changed(signed()))).toMatchObject(refused);
});

test("another secret's signature is refused", () => {
  expect(check(signed("another-secret-of-length"))).toMatchObject(refused);
});

test("the same request a second time is refused, and so it is until its time is over, when its age refuses it", () => {
  const request = signed();
  expect(check(request).ok).toBe(true);
  for (const laterMs of [0, 1, 30_000, 30_001, 600_000]) {
    nowMs = 1_700_000_000_000 + laterMs;
    expect(check(request)).toMatchObject(refused);
  }
});

test.each([30_000, -30_000])("a signature by a clock that is %i ms off is taken", (offMs) => {
  const request = signed();
  nowMs += offMs;
  expect(check(request).ok).toBe(true);
});

test.each([30_001, -30_001])("a signature that is %i ms old is refused", (ageMs) => {
  const request = signed();
  nowMs += ageMs;
  expect(check(request)).toMatchObject(refused);
});

test("what was refused takes no nonce", () => {
  const request = signed();
  expect(check({ ...request, method: "GET" })).toMatchObject(refused);
  expect(check(request).ok).toBe(true);
});
