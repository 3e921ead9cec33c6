import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { readClinc150, sourceOfClinc150 } from "../support/clinc150.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

const data = readClinc150();
const rowsPerCall = 50;

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge();
  key = (await edge.issueKey()).key;
});
afterAll(() => edge.close());

/** The share of utterances whose label is the expected one, and that every answer came from the edge. */
async function accuracy(utterances: readonly (readonly [string, string])[]): Promise<number> {
  let right = 0;
  for (let at = 0; at < utterances.length; at += rowsPerCall) {
    const rows = utterances.slice(at, at + rowsPerCall);
    const answer = await edge.post("/v1/predict", key, { model: "intent@1", input: rows.map(([text]) => text) });
    expect(answer.headers.get("Ledge-Tier")).toBe("edge");
    const { output } = await bodyOf(answer);
    for (const [row, [, label]] of rows.entries()) if (output[row]?.label === label) right++;
  }
  return right / utterances.length;
}

describe.skipIf(data === undefined)(`on the real test split, over HTTP, in workerd (${sourceOfClinc150})`, () => {
  test("the edge model reaches the published SVM's in-scope accuracy of 91.0 %", async () => {
    const inScope = await accuracy(data?.test ?? []);
    console.log(`in-scope accuracy ${(100 * inScope).toFixed(2)} % of ${data?.test.length}`);
    expect(inScope).toBeGreaterThanOrEqual(0.91);
  });

  test("its out-of-scope recall is reported, and above the published SVM's 14.5 %", async () => {
    const recall = await accuracy(data?.oos_test ?? []);
    console.log(`out-of-scope recall ${(100 * recall).toFixed(2)} % of ${data?.oos_test.length}`);
    expect(recall).toBeGreaterThan(0.145);
  });
});
