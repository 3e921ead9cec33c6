import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { depthMax, parseJson, readJson, type Sent } from "./body.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function post(
  body: string | Iterable<string>,
  headers: Record<string, string> = { "content-type": "application/json" },
): Sent {
  const pieces = typeof body === "string" ? [body] : body;
  return Object.assign(Readable.from([...pieces].map((piece) => Buffer.from(piece))), { headers });
}

test("bytes that are not UTF-8 are refused, not replaced", () => {
  expect(parseJson(new Uint8Array([0x22, 0xff, 0x22]))).toMatchObject({ fault: { code: "invalid_utf8" } });
});

test("broken JSON is refused without quoting it", () => {
  const result = parseJson(encode('{"secret": tru'));
  expect(result).toEqual({ ok: false, fault: { code: "invalid_json" } });
});

test("nesting at the limit passes and one level more is refused", () => {
  const nested = (levels: number) => encode("[".repeat(levels) + "]".repeat(levels));
  expect(parseJson(nested(depthMax)).ok).toBe(true);
  expect(parseJson(nested(depthMax + 1))).toMatchObject({ fault: { code: "too_deep" } });
  expect(parseJson(nested(200_000))).toMatchObject({ fault: { code: "too_deep" } });
});

test("brackets inside strings do not count as depth", () => {
  expect(parseJson(encode(JSON.stringify(`${"[".repeat(100)}\\"${"{".repeat(100)}`))).ok).toBe(true);
});

test("a body longer than the bound is refused even when its length is not declared", async () => {
  expect(await readJson(post(Array(4).fill(" ".repeat(10))), 32)).toMatchObject({ fault: { code: "body_too_large" } });
});

test("another media type or a compressed body is refused", async () => {
  expect(await readJson(post("{}", { "content-type": "text/plain" }), 9)).toMatchObject({
    fault: { code: "unsupported_media_type" },
  });
  const gzip = { "content-type": "application/json", "content-encoding": "gzip" };
  expect(await readJson(post("{}", gzip), 9)).toMatchObject({ fault: { code: "unsupported_media_type" } });
  expect(await readJson(post("{}", { "content-type": "application/json; charset=utf-8" }), 9)).toMatchObject({
    value: {},
  });
});

test("a body that is not the one that was signed is refused", async () => {
  const sha256 = createHash("sha256").update("{}").digest("hex");
  expect(await readJson(post("{}"), 9, sha256)).toEqual({ ok: true, value: {} });
  expect(await readJson(post("[]"), 9, sha256)).toMatchObject({ fault: { code: "invalid_credentials" } });
});
