import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { differences } from "./triton-differences.ts";
import { exerciseLedge, type Seen } from "./triton-exercise.ts";
import { exerciseTriton } from "./triton-reference.ts";

/** The same script, the same answers: Ledge beside Triton's own server, which comes to 370 MB. `npm run test:triton`. */

const asked = process.env.LEDGE_TRITON === "1";

let edge: TestEdge;
let ledge: Seen;
let triton: Seen;

beforeAll(async () => {
  if (!asked) return;
  edge = await startEdge();
  ledge = await exerciseLedge(edge);
  triton = await exerciseTriton();
}, 900_000);
afterAll(() => edge?.close());

describe.skipIf(!asked)("Triton's own server, by the same script (npm run test:triton)", () => {
  test("answers the same checks", () => {
    expect(Object.keys(triton)).toEqual(Object.keys(ledge));
  });

  test("answers each of them as Ledge does, but for the differences that are listed", () => {
    const different = Object.keys(triton).filter(
      (name) => JSON.stringify(triton[name]) !== JSON.stringify(ledge[name]),
    );
    for (const name of different) console.log(name, "\n  Triton", triton[name], "\n  Ledge ", ledge[name]);
    expect(different.sort()).toEqual(Object.keys(differences).sort());
  });
});
