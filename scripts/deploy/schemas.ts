import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runCommand } from "../check/command.ts";
import { schemasDir } from "./manifests.ts";
import { type CrdSource, core, crds, objectMeta } from "./schema-sources.ts";
import { isSchema, type Json, type Schema, shared, strict } from "./strict-schema.ts";

/**
 * Makes origin/deploy/schemas anew from the definitions that their projects publish: `npm run schemas:deploy`. Needs go (for the
 * modules) and python3 with pip (for Kubernetes' own), so it is run by hand when a version in schema-sources.ts changes.
 */
async function main(): Promise<void> {
  for (const old of readdirSync(schemasDir).filter((name) => name.endsWith(".json"))) rmSync(join(schemasDir, old));
  write("core", await coreSchemas());
  for (const source of crds) {
    const { name, schema } = await crdSchema(source);
    write(name, schema);
  }
}

function write(name: string, schema: Schema): void {
  const text = `${JSON.stringify(schema)}\n`;
  writeFileSync(join(schemasDir, `${name}.json`), text);
  process.stdout.write(`${name}: ${text.length} bytes\n`);
}

/** Every definition that the kinds in use reach, and those kinds by `apiVersion/kind`. */
async function coreSchemas(): Promise<Schema> {
  const all = JSON.parse(await fromWheel()) as { $defs: Record<string, Schema> };
  const kept: Record<string, Json> = {};
  const keep = (name: string): string => {
    if (kept[name] === undefined) {
      kept[name] = true; // Definitions may go round in circles.
      const { status: _written, ...properties } = isSchema(all.$defs[name]?.properties)
        ? all.$defs[name].properties
        : {};
      const isKind = Object.values<string>(core.kinds).includes(name);
      const whole = all.$defs[name] ?? {};
      kept[name] = strict(isKind ? { ...whole, properties } : whole, (ref) => keep(ref.split("/").at(-1) ?? ""));
    }
    return `#/$defs/${name}`;
  };
  for (const name of [objectMeta, ...Object.values(core.kinds)]) keep(name);
  const kinds = Object.fromEntries(Object.entries(core.kinds).map(([kind, name]) => [kind, `#/$defs/${name}`]));
  return { $id: "core", $comment: `PyPI ${core.package} ${core.version}, Apache-2.0`, kinds, $defs: kept };
}

async function fromWheel(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "ledge-schemas-"));
  const wanted = `${core.package}==${core.version}`;
  await must("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", dir, wanted]);
  const unpack =
    "import glob, sys, zipfile; zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0]).extract(sys.argv[2], sys.argv[1])";
  await must("python3", ["-c", unpack, dir, core.path]);
  const text = readFileSync(join(dir, core.path), "utf8");
  rmSync(dir, { recursive: true });
  return text;
}

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

async function crdSchema({ module, version, path, api }: CrdSource): Promise<{ name: string; schema: Schema }> {
  const dir = await moduleDir(module, version);
  const { group, names, versions } = (parse(readFileSync(join(dir, path), "utf8")) as Crd).spec;
  const found = versions.find(({ name }) => name === api)?.schema.openAPIV3Schema;
  if (found === undefined || !isSchema(found.properties)) throw new Error(`${path} has no ${api}`);
  const { status: _written, ...properties } = found.properties;
  const kind = strict({ ...found, properties }, (ref) => ref);
  const own = isSchema(kind.properties) ? kind.properties : {};
  const head = { apiVersion: { const: `${group}/${api}` }, kind: { const: names.kind } };
  const metadata = { $ref: `core#/$defs/${objectMeta}` };
  const body = shared({ ...kind, properties: { ...own, ...head, metadata } });
  const kinds = { [`${group}/${api}/${names.kind}`]: "#" };
  const name = `${names.kind.toLowerCase()}.${group}.${api}`;
  return { name, schema: { $id: name, $comment: `Go module ${module} ${version}, Apache-2.0`, kinds, ...body } };
}

async function moduleDir(module: string, version: string): Promise<string> {
  const answer = await must("go", ["mod", "download", "-json", `${module}@${version}`]);
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

async function must(command: string, args: readonly string[]): Promise<string> {
  const { status, output } = await runCommand(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}:\n${output}`);
  return output;
}

await main();
