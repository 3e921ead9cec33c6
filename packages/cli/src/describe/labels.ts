import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Refusal } from "../refusal.ts";

/**
 * Reads labels from a file (a JSON list, or one a line) or, where there is no such file, from the text itself, parted by
 * commas.
 *
 * @throws Refusal when there are none, or one is empty.
 */
export async function readLabels(given: string, path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined && !given.includes(",")) {
    throw new Refusal(`--labels takes a file or names with commas between, and there is no file ${given}.`);
  }
  const labels = text === undefined ? given.split(",").map((label) => label.trim()) : parseLabels(text, basename(path));
  if (labels.length === 0 || labels.some((label) => label === "")) throw new Refusal(`${given} has an empty label.`);
  return labels;
}

function parseLabels(text: string, name: string): readonly string[] {
  if (!/^\s*[[{]/.test(text)) return text.trim().split(/\r?\n/);
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((label) => typeof label === "string")) return value;
  } catch {
    // Falls through to the sentence below.
  }
  throw new Refusal(`${name} is no list of labels: write ["first", "second"], in the order of the model's outputs.`);
}

/** Labels by class number, as `config.json` of a Hugging Face checkpoint has them; undefined when it has none. */
export function labelsOfConfig(config: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const byId = config.id2label;
  if (typeof byId !== "object" || byId === null) return undefined;
  const labels = Object.entries(byId)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => String(label));
  return labels.length === 0 ? undefined : labels;
}
