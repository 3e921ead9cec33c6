import { modelName, modelVersion } from "@ledge/contract";
import { Refusal } from "../refusal.ts";

export interface ModelVersion {
  readonly model: string;
  readonly version: string;
}

/** Reads `name@version`, as the `Ledge-Model` header writes it. Throws {@link Refusal}. */
export function modelVersionOf(text: string): ModelVersion {
  const [name = "", version] = text.split("@", 2);
  const model = modelNameOf(name);
  if (version === undefined) {
    throw new Refusal(`Say which version, as in ${model}@2: 'ledge model show ${model}' lists them.`, 2);
  }
  if (!modelVersion.safeParse(version).success) throw new Refusal(`'${version}' is no version: they are 1, 2, 3 …`, 2);
  return { model, version };
}

export function modelNameOf(text: string): string {
  if (modelName.safeParse(text).success) return text;
  throw new Refusal(`'${text}' is no model's name: letters in lower case, digits, '.', '_' and '-'.`, 2);
}

export const modelPath = (model: string) => `/models/${encodeURIComponent(model)}`;
export const versionPath = ({ model, version }: ModelVersion) => `${modelPath(model)}/versions/${version}`;
