import { type PackageManifest, packageManifest, parse } from "@ledge/contract";
import { createServable } from "@ledge/pipeline";
import type { GraphFacts, GraphValue } from "../inspect/read-graph.ts";
import type { Measurement } from "../measure/measure-graph.ts";
import type { Placement } from "../place/decide-tiers.ts";
import { Refusal } from "../refusal.ts";
import type { Description } from "./describe-package.ts";
import { bytesOf, fileEntry } from "./package-content.ts";

/** The registry gives the real one. */
const versionPlaceholder = "1";

/** What running it showed. */
export interface Outcome {
  readonly measurement: Measurement;
  readonly placement: Placement;
}

/**
 * The package's `model.json`, held to its schema and to the steps it names. Before anything was run it is a draft, and
 * tells what does not fit together without the wait.
 *
 * @throws Refusal listing every fault.
 */
export async function buildManifest(
  facts: GraphFacts,
  description: Description,
  outcome?: Outcome,
): Promise<PackageManifest> {
  const { contents, bounds, ...described } = description;
  const [graph, ...others] = contents;
  const checked = parse(packageManifest, {
    ...described,
    version: versionPlaceholder,
    file: fileEntry(graph),
    ...(others.length === 0 ? {} : { files: others.map(fileEntry) }),
    opset: facts.opset,
    ...(facts.producer === undefined ? {} : { producer: facts.producer }),
    inputs: facts.inputs.map((value) => ({ ...specOf(value), ...bounds[value.name] })),
    outputs: facts.outputs.map((value) => specOf(withShape(value, outcome?.measurement))),
    tiers: outcome?.placement.tiers ?? ["origin"],
    ...measuredOf(outcome?.measurement),
  });
  if (!checked.ok) {
    const issues = (checked.fault.issues ?? []).map(({ path, message }) => `${path}: ${message}`);
    throw new Refusal(`This would make no valid model.json: ${issues.join("; ")}.`);
  }
  // An output that says nothing of its shape may fit its step all the same: that shows when it has run.
  const known = outcome !== undefined || facts.outputs.every(({ dimensions }) => dimensions !== undefined);
  if (known) await checkSteps(checked.value, description);
  return checked.value;
}

function measuredOf(measurement: Measurement | undefined) {
  return measurement === undefined || "refused" in measurement.wasm ? {} : { measured: measurement.wasm };
}

function specOf({ name, datatype, shape }: Pick<GraphValue, "name" | "datatype" | "shape">) {
  return { name, datatype, shape };
}

/** A graph that says nothing of an output's shape showed its rank when it ran. */
function withShape(value: GraphValue, measurement: Measurement | undefined): GraphValue {
  if (value.dimensions !== undefined) return value;
  return { ...value, shape: (measurement?.outputs[value.name]?.shape ?? []).map(() => -1) };
}

/** The tiers refuse a package whose steps do not fit its graph or files: better here than there. */
async function checkSteps(manifest: PackageManifest, { contents }: Description): Promise<void> {
  if (manifest.task === "chat") return;
  const [, ...others] = contents;
  const files = new Map(await Promise.all(others.map(async (file) => [file.path, await bytesOf(file)] as const)));
  const made = createServable({ manifest, files, run: () => Promise.reject(new Error("nothing is run here")) });
  if (made.ok) return;
  const why = (made.fault.cause ?? made.fault.detail ?? made.fault.code).replace(/^\S+@1: /, "");
  throw new Refusal(`The package does not fit together: ${why}.`);
}
