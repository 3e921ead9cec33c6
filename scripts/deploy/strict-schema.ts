/** Turns Kubernetes' schemas into plain, strict JSON Schema that says each part once. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Schema = { readonly [key: string]: Json };

/** What decides whether a manifest is valid. Dropped: prose, defaults, merge hints, formats, and rules in CEL. */
const constraints = [
  "type",
  "required",
  "enum",
  "const",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "uniqueItems",
] as const;

const unions = ["anyOf", "oneOf", "allOf"] as const;

export function isSchema(value: Json | undefined): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The schema as the API server applies it under strict field validation: a field that a structural schema does not name is a
 * fault, and so is a null. `refOf` gives references another home.
 */
export function strict(schema: Schema, refOf: (ref: string) => string): Schema {
  if (typeof schema.$ref === "string") return { $ref: refOf(schema.$ref) };
  const kept: Record<string, Json> = constraintsOf(schema);
  const inner = (value: Json) => (isSchema(value) ? strict(value, refOf) : value);
  for (const union of unions) {
    const branches = schema[union];
    // Branches of a union only constrain: what there is at all is said by the node itself.
    if (Array.isArray(branches)) kept[union] = branches.map((branch) => (isSchema(branch) ? branchOf(branch) : branch));
  }
  if (isSchema(schema.not)) kept.not = branchOf(schema.not);
  if (schema["x-kubernetes-int-or-string"] === true && kept.anyOf === undefined) kept.type = ["integer", "string"];
  if (isSchema(schema.properties)) kept.properties = mapValues(schema.properties, inner);
  if (schema.items !== undefined) kept.items = inner(schema.items);
  if (schema.additionalProperties !== undefined) kept.additionalProperties = inner(schema.additionalProperties);
  else if (schema.type === "object" && schema["x-kubernetes-preserve-unknown-fields"] !== true)
    kept.additionalProperties = false;
  return kept;
}

function branchOf(schema: Schema): Schema {
  const kept = constraintsOf(schema);
  if (isSchema(schema.properties))
    kept.properties = mapValues(schema.properties, (value) => (isSchema(value) ? branchOf(value) : value));
  if (isSchema(schema.items)) kept.items = branchOf(schema.items);
  if (isSchema(schema.not)) kept.not = branchOf(schema.not);
  for (const union of unions) {
    const branches = schema[union];
    if (Array.isArray(branches)) kept[union] = branches.map((branch) => (isSchema(branch) ? branchOf(branch) : branch));
  }
  return kept;
}

function constraintsOf(schema: Schema): Record<string, Json> {
  const kept: Record<string, Json> = {};
  for (const key of constraints) {
    const value = schema[key];
    if (value !== undefined) kept[key] = key === "type" ? withoutNull(value) : value;
  }
  return kept;
}

function withoutNull(type: Json): Json {
  if (!Array.isArray(type)) return type;
  const others = type.filter((name) => name !== "null");
  return others.length === 1 ? (others[0] ?? null) : others;
}

/** Says what occurs more than once in `$defs`: the template of a Pod lies in a definition a dozen times. */
export function shared(schema: Schema): Schema {
  const uses = new Map<string, number>();
  const count = (value: Json): void => {
    if (isSchema(value)) {
      const text = JSON.stringify(value);
      const before = uses.get(text) ?? 0;
      uses.set(text, before + 1);
      if (before > 0) return;
    }
    if (typeof value === "object" && value !== null) for (const child of Object.values(value)) count(child as Json);
  };
  count(schema);
  const names = new Map<string, string>();
  const defs: Record<string, Json> = {};
  const write = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(write);
    if (!isSchema(value)) return value;
    const text = JSON.stringify(value);
    if ((uses.get(text) ?? 0) < 2 || text.length < worthSharing || !mayBeReferred(value))
      return mapValues(value, write);
    const known = names.get(text);
    if (known !== undefined) return { $ref: known };
    const name = `s${names.size}`;
    names.set(text, `#/$defs/${name}`);
    defs[name] = mapValues(value, write);
    return { $ref: `#/$defs/${name}` };
  };
  const root = mapValues(schema, write);
  return { ...root, $defs: defs };
}

/** Characters from which a part is worth a reference. */
const worthSharing = 80;

/** A map of properties is no schema: a reference cannot stand in its place. */
function mayBeReferred(value: Schema): boolean {
  return ["type", "anyOf", "oneOf", "allOf", "$ref"].some((key) => {
    const said = value[key];
    return typeof said === "string" || Array.isArray(said);
  });
}

function mapValues(schema: Schema, change: (value: Json) => Json): Record<string, Json> {
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, change(value)]));
}
