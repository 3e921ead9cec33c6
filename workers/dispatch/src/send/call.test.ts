import { expect, test } from "vitest";
import { callOf } from "./call.ts";

function request(path: string, named: Readonly<Record<string, string>>): Request {
  return new Request(`https://dispatch${path}`, { method: "POST", body: "{}", headers: named });
}

test("of the headers that come, an origin is told those that it acts on and no other", async () => {
  const call = await callOf(
    request("/v1/predict?a=1", {
      "Content-Type": "application/json",
      "Inference-Header-Content-Length": "2",
      "Ledge-Request-Id": "r-1",
      "Ledge-Payer": "payer",
      "Ledge-Priority": "low",
      "Ledge-Model": "intent@1",
      "Ledge-Deadline": "1700000009000",
      "Ledge-Continent": "EU",
      Authorization: "Bearer somebody's",
      Cookie: "a=b",
    }),
    1_700_000_000_000,
  );
  if (!call.ok) throw new Error(call.fault.code);
  const { headers, model, continent, deadlineMs, path, hedged } = call.value;
  expect(headers.map(([name]) => name)).toEqual([
    "Content-Type",
    "Inference-Header-Content-Length",
    "Ledge-Request-Id",
    "Ledge-Payer",
    "Ledge-Priority",
  ]);
  expect([model, continent, deadlineMs, path, hedged]).toEqual([
    "intent@1",
    "EU",
    1_700_000_009_000,
    "/v1/predict?a=1",
    true,
  ]);
});

test("a chat is never asked twice to be faster", async () => {
  const call = await callOf(request("/v1/chat/completions", { "Content-Type": "application/json" }), 0);
  expect(call).toMatchObject({ value: { hedged: false, deadlineMs: 60_000 } });
});
