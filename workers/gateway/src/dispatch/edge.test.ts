import { fail, type InferenceService, type Result } from "@ledge/contract";
import { expect, test } from "vitest";
import { edgeTier } from "./edge.ts";

const journey = { requestId: "r", deadlineMs: 60_000, signal: new AbortController().signal };
const call = { model: "m", version: "1", digest: "d", inputs: {} };

function inferring(fault: Result<never>) {
  const service = { infer: async () => fault } as Partial<InferenceService> as InferenceService;
  return edgeTier(service, () => 0).infer(call, journey);
}

test("values that the graph cannot run on are the caller's fault, and are not repeated in the log", async () => {
  const cause = "failed to call OrtRun(). ERROR_CODE: 2, ERROR_MESSAGE: indices element out of data bounds, idx=99";
  const answer = await inferring(fail("upstream_failed", { cause }));
  expect(answer).toMatchObject({ ok: false, fault: { code: "invalid_shape" } });
  expect(JSON.stringify(answer)).not.toContain("99");
});

test("any other failure of the runtime stays the tier's", async () => {
  const answer = await inferring(fail("upstream_failed", { cause: "ERROR_CODE: 6, ERROR_MESSAGE: bad allocation" }));
  expect(answer).toMatchObject({ fault: { code: "upstream_failed" } });
});
