import { gzipSync } from "node:zlib";
import { errors, isErrorCode } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

/** What is wrong with a request is told in a 4xx with a code from the table, in the shape of its surface. */

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge({ gateway: { BODY_BYTES_MAX: "65536" } });
  key = (await edge.issueKey()).key;
});
afterAll(() => edge.close());

const good = { model: "intent", input: "hello" };
const paths = ["/v1/predict", "/v1/chat/completions", "/v2/models/intent/infer", "/v2/models/intent/versions/1/infer"];

/** The code in an error body, whichever surface wrote it. */
function codeOf(body: { code?: string; error?: string | { code: string } }): string | undefined {
  if (typeof body.error === "string") return body.error.split(":", 1)[0];
  return body.error?.code ?? body.code;
}

async function refusal(path: string, body: NonNullable<RequestInit["body"]>, headers: Record<string, string> = {}) {
  const answer = await fetch(edge.url + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
    body,
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  } as RequestInit);
  return { status: answer.status, code: codeOf(await bodyOf(answer)) };
}

describe.each(paths)("%s", (path) => {
  test("broken JSON is a 400", async () => {
    for (const body of ["", "{", "{'a':1}", '{"a":1}{', "undefined", "[1,]", "\u0000"]) {
      expect(await refusal(path, body), body).toEqual({ status: 400, code: "invalid_json" });
    }
  });

  test("wrong types are a 400 that names where", async () => {
    for (const body of ["null", "1", '"text"', "[]", "{}", "true"]) {
      expect(await refusal(path, body), body).toEqual({ status: 400, code: "invalid_request" });
    }
  });

  test("bytes that are not UTF-8 are a 400", async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(good));
    bytes[bytes.length - 3] = 0xff;
    expect(await refusal(path, bytes)).toEqual({ status: 400, code: "invalid_utf8" });
    expect(await refusal(path, new Uint8Array([0xed, 0xa0, 0x80]))).toEqual({ status: 400, code: "invalid_utf8" });
  });

  test("10,000 nested arrays are a 400 and take no time", async () => {
    const startedMs = Date.now();
    for (const body of ["[".repeat(10_000) + "]".repeat(10_000), "[".repeat(10_000), '{"a":'.repeat(10_000)]) {
      expect(await refusal(path, body)).toEqual({ status: 400, code: "too_deep" });
    }
    expect(Date.now() - startedMs).toBeLessThan(5_000);
  });

  test("a body over the bound is a 413, whether it says its length or not", async () => {
    const large = JSON.stringify({ ...good, input: "x".repeat(70_000) });
    expect(await refusal(path, large)).toEqual({ status: 413, code: "body_too_large" });
    expect(await refusal(path, new Blob([large]).stream())).toEqual({ status: 413, code: "body_too_large" });
  });

  test("another content type, or a compressed body that the path does not take, is a 415", async () => {
    const refused = { status: 415, code: "unsupported_media_type" };
    expect(await refusal(path, JSON.stringify(good), { "Content-Type": "text/plain" })).toEqual(refused);
    const compressed = new Uint8Array(gzipSync(JSON.stringify(good)));
    expect(await refusal(path, compressed, { "Content-Encoding": "br" })).toEqual(refused);
    const inflated = path.startsWith("/v2/") ? { status: 400, code: "invalid_request" } : refused;
    expect(await refusal(path, compressed, { "Content-Encoding": "gzip" })).toEqual(inflated);
  });

  test("a deadline that is no number is a 400", async () => {
    for (const value of ["soon", "0", "-5", "1.5"]) {
      expect(await refusal(path, JSON.stringify(good), { "Ledge-Timeout-Ms": value })).toEqual({
        status: 400,
        code: "invalid_header",
      });
    }
  });

  test("another method is a 405", async () => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
      const answer = await fetch(edge.url + path, { method, headers: { Authorization: `Bearer ${key}` } });
      expect([answer.status, codeOf(await bodyOf(answer))], method).toEqual([405, "method_not_allowed"]);
    }
  });
});

test("every fault of a body is named at once, with its place", async () => {
  const body = { model: 7, input: ["ok", 5], options: { top_k: 0, deep: 1 }, extra: true };
  const answer = await edge.post("/v1/predict", key, body);
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  const places = (await bodyOf(answer)).issues.map((issue: { path: string }) => issue.path);
  expect(places).toEqual(expect.arrayContaining(["model", "options.top_k"]));
  expect(places.length).toBeGreaterThanOrEqual(4);
});

test("an unknown model or version is a 404 that names what is deployed", async () => {
  for (const model of ["nothing", "intent@9", "INTENT", "../etc/passwd", "intent@", ""]) {
    const answer = await edge.post("/v1/predict", key, { ...good, model });
    expect([400, 404], model).toContain(answer.status);
    expect(["model_not_found", "invalid_request"]).toContain((await bodyOf(answer)).code);
  }
  const answer = await edge.post("/v1/predict", key, { ...good, model: "intent@9" });
  expect((await bodyOf(answer)).detail).toBe("'intent@9' is not deployed; these versions of 'intent' are: 1.");
});

test("too many or too long texts are a 400", async () => {
  for (const input of [Array(65).fill("x"), [], "x".repeat(8_193)]) {
    expect((await edge.post("/v1/predict", key, { ...good, input })).status).toBe(400);
  }
});

test("a body that is fine up to the bounds is taken", async () => {
  expect((await edge.post("/v1/predict", key, { ...good, input: Array(64).fill("hello there") })).status).toBe(200);
  expect((await edge.post("/v1/predict", key, { ...good, input: "x".repeat(8_192) })).status).toBe(200);
  expect((await edge.post("/v1/predict", key, { ...good, input: "" })).status).toBe(200);
  expect((await edge.post("/v1/predict", key, { ...good, input: "\ud83d\ude00 \u0000 \u202e" })).status).toBe(200);
});

test("every code that is given is in the table", async () => {
  for (const path of [...paths, "/nothing", "/admin/v1/keys"]) {
    const { status, code } = await refusal(path, "{", { Authorization: "Bearer x" });
    expect(isErrorCode(code), `${path} ${code}`).toBe(true);
    if (isErrorCode(code)) expect(errors[code].status).toBe(status);
  }
});
