import { fail, ok, type Result, type TensorSpec } from "@ledge/contract";
import * as z from "zod/mini";
import { readJsonFile } from "../read-file.ts";
import { readStep } from "../read-step.ts";

const labelList = z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.maxLength(100_000));

/**
 * Reads a package's labels, one per class, in the order of the logits.
 * Fault: `model_not_ready` when the file is none of that, or has not as many as the output has classes.
 */
export function readLabels(
  files: ReadonlyMap<string, Uint8Array>,
  path: string,
  { name, shape }: TensorSpec,
): Result<readonly string[]> {
  const json = readJsonFile(files, path);
  if (!json.ok) return json;
  const labels = readStep(path, labelList, json.value);
  if (!labels.ok) return labels;
  const classes = shape.at(-1) ?? -1;
  if (classes === -1 || classes === labels.value.length) return ok(labels.value);
  return fail("model_not_ready", { cause: `${path} has ${labels.value.length} labels and ${name} ${classes} classes` });
}
