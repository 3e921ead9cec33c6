import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type PackageManifest, packageManifest, parse } from "@ledge/contract";
import { tensorProfileOf, textProfileOf } from "@ledge/policy";
import { readNumbers } from "./read-numbers.ts";

/** Writes into a `model.json` what the inputs are like that the model was made with, so that others can be told from them. */

const help = `node scripts/profile/write.ts --model MODEL_JSON (--texts FILE | --tensors FILE [--input NAME] [--together])

  --model MODEL_JSON  the manifest that gets the profile; its digest stays as it is
  --texts FILE        one text a line, as the model was trained on them
  --tensors FILE      rows of an input's numbers, [rows, …]: an array of NumPy's (.npy), or nested lists (.json)
  --input NAME        whose they are; may be left out where the graph has one input
  --together          one mean for all numbers, as for pixels; else one for each place of the last axis, where its
                      size is fixed and 256 at most`;

const placesMax = 256;

interface Asked {
  readonly texts?: string | undefined;
  readonly tensors?: string | undefined;
  readonly input?: string | undefined;
  readonly together: boolean;
}

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    texts: { type: "string" },
    tensors: { type: "string" },
    input: { type: "string" },
    together: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.model === undefined || (values.texts === undefined) === (values.tensors === undefined)) {
  console.log(help);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    console.log(`${values.model}: ${write(values.model, values)}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** Returns what was written, in words. Throws a sentence when the reference does not fit the model. */
function write(path: string, asked: Asked): string {
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  const { profile, said } = profiled(checked(manifest), asked);
  checked({ ...manifest, profile });
  writeFileSync(path, `${JSON.stringify({ ...manifest, profile }, null, 2)}\n`);
  return said;
}

function profiled({ inputs, profile }: PackageManifest, { texts, tensors, input, together }: Asked) {
  if (texts !== undefined) {
    const lines = readFileSync(texts, "utf8").split("\n").filter(Boolean);
    return { profile: { ...profile, texts: textProfileOf(lines) }, said: `the profile of ${lines.length} texts.` };
  }
  const spec = inputs.find(({ name }) => name === (input ?? (inputs.length === 1 ? inputs[0]?.name : undefined)));
  if (spec === undefined) throw new Error(`--input is one of ${inputs.map(({ name }) => name).join(", ")}.`);
  const numbers = readNumbers(tensors ?? "");
  const { shape } = spec;
  // Without a batch of its own the graph takes one row after another.
  const row = numbers.shape.slice(1);
  const wanted = shape[0] === -1 ? shape.slice(1) : shape;
  if (wanted.length !== row.length || wanted.some((size, at) => size !== -1 && size !== row[at])) {
    throw new Error(
      `A row of ${spec.name} has the shape [${wanted.join(", ")}]; those of the file, [${row.join(", ")}].`,
    );
  }
  const places = wanted.at(-1) ?? -1;
  const apart = !together && places > 0 && places <= placesMax;
  const made = tensorProfileOf(numbers, apart);
  const said = `the profile of ${numbers.shape[0]} rows of ${spec.name}, ${apart ? `${places} places apart` : "all numbers together"}.`;
  return { profile: { ...profile, tensors: { ...profile?.tensors, [spec.name]: made } }, said };
}

function checked(value: unknown): PackageManifest {
  const manifest = parse(packageManifest, value);
  if (manifest.ok) return manifest.value;
  const issues = (manifest.fault.issues ?? []).map(({ path, message }) => `${path}: ${message}`);
  throw new Error(`This makes no valid model.json: ${issues.join("; ")}.`);
}
