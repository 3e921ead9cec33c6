import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registerPackages } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { readClinc150, sourceOfClinc150 } from "../support/clinc150.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { deskOf } from "../support/registry.ts";

/** The shipped models as `npm start` registers them, asked over HTTP in real workerd. */

const data = readClinc150();
const rowsPerCall = 50;

let edge: TestEdge;
let key: string;
const said: string[] = [];

beforeAll(async () => {
  edge = await startEdge();
  key = (await edge.issueKey()).key;
  await registerPackages(deskOf(edge), join(repoRoot, "models"), (line) => said.push(line));
});
afterAll(() => edge.close());

interface Answer {
  readonly output: readonly { readonly label: string; readonly score: number; readonly embedding: readonly number[] }[];
}

async function ask(model: string, input: readonly string[]): Promise<Answer["output"]> {
  const answer = await edge.post("/v1/predict", key, { model, input, options: { top_k: 1 } });
  expect([answer.status, answer.headers.get("ledge-tier")]).toEqual([200, "edge"]);
  return ((await answer.json()) as Answer).output;
}

const cosine = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

test("every shipped package that is not in the bundle is registered, and fits the edge", () => {
  const folders = readdirSync(join(repoRoot, "models")).flatMap((name) =>
    readdirSync(join(repoRoot, "models", name))
      .filter((version) => /^[0-9]+$/.test(version))
      .map((version) => `${name}@${version}`),
  );
  const bundled = ["intent@1", "tiny-chat@1"];
  const registered = folders.filter((folder) => !bundled.includes(folder)).map((folder) => `${folder} is registered.`);
  expect(said.toSorted()).toEqual(registered.toSorted());
});

test.each([
  ["embed", 384],
  ["embed-static", 256],
])(
  "%s gives vectors of length 1 in which what means the same lies near, whatever stands beside it",
  async (model, dimensions) => {
    const input = [
      "A man is playing a guitar.",
      "Someone plays the guitar.",
      "The stock market fell sharply on Monday.",
    ];
    const [first, near, far] = (await ask(model, input)).map(({ embedding }) => embedding);
    const [alone] = (await ask(model, input.slice(0, 1))).map(({ embedding }) => embedding);
    expect(first).toHaveLength(dimensions);
    if (first === undefined || near === undefined || far === undefined || alone === undefined)
      throw new Error("missing");
    expect(cosine(first, first)).toBeCloseTo(1, 5);
    expect(cosine(first, alone)).toBeCloseTo(1, 5);
    expect(cosine(first, near)).toBeGreaterThan(cosine(first, far) + 0.3);
  },
);

test("guard finds an insult and leaves a kindness alone", async () => {
  const [kind, insult] = await ask("guard", ["thank you so much for your help", "shut up you stupid bitch"]);
  expect(kind?.label).toBe("neither");
  expect(["offensive", "hate"]).toContain(insult?.label);
});

test("same-answer tells a rewording from a reversal, and calls whatever is not two whole prompts different", async () => {
  const [reworded, reversed, single, treble, long] = await ask("same-answer", [
    "How do I fix a broken dishwasher? [SEP] my dishwasher is broken, how do I repair it",
    "trains from Rome to Madrid on Monday [SEP] trains from Madrid to Rome on Monday",
    "How do I fix a broken dishwasher?",
    "hello [SEP] hello [SEP] hello",
    `${"very ".repeat(100)}long [SEP] ${"very ".repeat(100)}long`,
  ]);
  expect(reworded?.label).toBe("same");
  for (const refused of [reversed, single, treble, long]) expect(refused?.label).toBe("different");
  for (const refused of [single, treble, long]) expect(refused?.score).toBeGreaterThan(0.9999);
});

describe.skipIf(data === undefined)(
  `intent 2 on every fifth utterance of the real test split (${sourceOfClinc150})`,
  () => {
    /** The share of utterances whose label is the expected one. The card has the whole split; a fifth is what CI has time for. */
    async function share(all: readonly (readonly [string, string])[]): Promise<number> {
      const rows = all.filter((_, at) => at % 5 === 0);
      let right = 0;
      for (let at = 0; at < rows.length; at += rowsPerCall) {
        const part = rows.slice(at, at + rowsPerCall);
        const answers = await ask(
          "intent@2",
          part.map(([text]) => text),
        );
        for (const [row, [, label]] of part.entries()) if (answers[row]?.label === label) right++;
      }
      return right / rows.length;
    }

    test("is right on at least 95.0 % in scope", { timeout: 240_000 }, async () => {
      expect(await share(data?.test ?? [])).toBeGreaterThanOrEqual(0.95);
    });

    test("finds at least 45 % of what is out of scope", { timeout: 120_000 }, async () => {
      expect(await share(data?.oos_test ?? [])).toBeGreaterThanOrEqual(0.45);
    });
  },
);
