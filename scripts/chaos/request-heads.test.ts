import { expect, test } from "vitest";
import { RequestHeads, type SeenRequest } from "./request-heads.ts";

const bytes = Buffer.from(
  'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nLedge-Request-Id: c-1\r\nContent-Length: 14\r\n\r\n{"model":"a"} ' +
    "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n" +
    "POST /v2/models/pair/versions/1/infer HTTP/1.1\r\nledge-request-id: c-2\r\n\r\n",
);

test.each([1, 7, 64, 10_000])("every request is seen once, whatever the pieces: %i bytes each", (size) => {
  const seen: SeenRequest[] = [];
  const heads = new RequestHeads((request) => seen.push(request));
  for (let at = 0; at < bytes.length; at += size) heads.take(bytes.subarray(at, at + size));
  expect(seen).toEqual([
    { method: "POST", path: "/v1/chat/completions", id: "c-1" },
    { method: "GET", path: "/readyz" },
    { method: "POST", path: "/v2/models/pair/versions/1/infer", id: "c-2" },
  ]);
});
