import type { ModelManifest } from "@ledge/contract";

/** The members of steps that name a file of the package. */
const members = ["tokenizer", "config", "labels"];

/** Paths of the files that a package's steps read. They may not be there: the steps say so when they are made. */
export function filesOfSteps({ preprocess, postprocess }: ModelManifest): string[] {
  const named = [preprocess, postprocess].flatMap((step) => members.map((member) => step?.[member]));
  return named.filter((path) => typeof path === "string");
}
