import { readFileSync } from "node:fs";
import { join } from "node:path";

/** CLINC150 (`data_full.json` of clinc/oos-eval on GitHub, CC BY 3.0) is not ours to ship: LEDGE_DATA names its folder. */
export interface Clinc150 {
  /** Utterance and intent. */
  readonly test: readonly (readonly [string, string])[];
  readonly oos_test: readonly (readonly [string, string])[];
}

export const sourceOfClinc150 =
  "needs CLINC150: save data_full.json of clinc/oos-eval on GitHub as clinc150.json and set LEDGE_DATA to its folder";

/** `undefined` without the data: the test is skipped and says why. In CI that is a failure instead. */
export function readClinc150(): Clinc150 | undefined {
  const folder = process.env.LEDGE_DATA;
  if (folder !== undefined && folder !== "") return JSON.parse(readFileSync(join(folder, "clinc150.json"), "utf8"));
  if (process.env.CI) throw new Error(sourceOfClinc150);
  return undefined;
}
