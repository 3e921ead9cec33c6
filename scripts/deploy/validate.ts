import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ErrorObject } from "ajv";
import { type Manifest, schemasDir } from "./manifests.ts";
import type { Schema } from "./strict-schema.ts";

interface SchemaFile extends Schema {
  readonly $id: string;
  /** Where in the file the schema of `apiVersion/kind` is. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** Checks objects against the schemas in origin/deploy/schemas. */
export class ManifestCheck {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  readonly #places = new Map<string, string>();

  constructor() {
    for (const name of readdirSync(schemasDir).filter((file) => file.endsWith(".json"))) {
      const file = JSON.parse(readFileSync(join(schemasDir, name), "utf8")) as SchemaFile;
      this.#ajv.addSchema(file);
      for (const [kind, place] of Object.entries(file.kinds)) this.#places.set(kind, `${file.$id}${place}`);
    }
  }

  kinds(): readonly string[] {
    return [...this.#places.keys()];
  }

  /** A sentence for each fault, none for a valid object. A kind without a schema is a fault too. */
  faultsOf(manifest: Manifest): readonly string[] {
    const kind = `${manifest.apiVersion}/${manifest.kind}`;
    const place = this.#places.get(kind);
    if (place === undefined) return [`${kind} has no schema in origin/deploy/schemas`];
    const valid = this.#ajv.getSchema(place);
    if (valid === undefined) throw new Error(`No schema at ${place}`);
    if (valid(manifest) === true) return [];
    return (valid.errors ?? []).map((error) => `${kind} ${manifest.metadata?.name ?? "?"}: ${sentence(error)}`);
  }
}

function sentence({ instancePath, message, params }: ErrorObject): string {
  const unknown = (params as { additionalProperty?: string }).additionalProperty;
  return `${instancePath || "/"} ${message}${unknown === undefined ? "" : ` '${unknown}'`}`;
}
