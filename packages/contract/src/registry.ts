import * as z from "zod/mini";
import { modelManifest, modelName, modelVersion } from "./manifest.ts";
import { rollout } from "./rollout.ts";

/**
 * The registry: which models, versions, aliases and rollouts there are. One control Durable Object owns it and publishes
 * it as a numbered snapshot; gateways read snapshots and nothing else, so none ever sees half of a change.
 */

/** Which versions can be called, in Triton's names. `latest` counts from the newest that is not unloaded. */
export const versionPolicy = z.union([
  z.strictObject({ latest: z.strictObject({ num_versions: z.int().check(z.gte(1), z.lte(1000)) }) }),
  z.strictObject({ all: z.strictObject({}) }),
  z.strictObject({
    specific: z.strictObject({ versions: z.array(z.int().check(z.gte(1))).check(z.minLength(1), z.maxLength(1000)) }),
  }),
]);
export type VersionPolicy = z.infer<typeof versionPolicy>;

/** `ready` can be called; `unloaded` is kept but refused until it is loaded again. */
export const versionState = z.enum(["ready", "unloaded"]);
export type VersionState = z.infer<typeof versionState>;

export const registeredVersion = z.object({
  version: modelVersion,
  /** SHA-256 of the package's identity, hex. */
  digest: z.string(),
  state: versionState,
  /** `bundle`: travels in the Workers' bundles. `store`: its files lie in R2 under their SHA-256. */
  source: z.enum(["bundle", "store"]),
  createdAtMs: z.number(),
  /** Without `metrics` and `training`, which no request needs. */
  manifest: modelManifest,
});
export type RegisteredVersion = z.infer<typeof registeredVersion>;

/** `latest` and `stable` are taken: the newest callable version, and the one that answers a bare name. */
export const aliasName = z
  .string()
  .check(
    z.regex(
      /^(?!latest$|stable$)[a-z][a-z0-9-]{0,31}$/,
      "an alias: a letter, then letters, digits, '-'; not 'latest' or 'stable'",
    ),
  );

export const registeredModel = z.object({
  name: modelName,
  policy: versionPolicy,
  /** Answers the bare name while no rollout says otherwise. Registering a version never moves it: a rollout or an operator does. */
  stable: modelVersion,
  /** Where `rollback` without a rollout goes back to. */
  previousStable: z.optional(modelVersion),
  aliases: z.record(z.string(), modelVersion),
  versions: z.array(registeredVersion).check(z.minLength(1)),
  /** Highest version ever given: numbers are not used twice, even after a removal. */
  highestVersion: z.int(),
  rollout: z.optional(rollout),
});
export type RegisteredModel = z.infer<typeof registeredModel>;

export const registryState = z.object({
  /** Grows by one with every change. */
  number: z.int(),
  models: z.record(z.string(), registeredModel),
  /** Highest version of models that were removed whole, by name: their numbers are not used twice either. */
  retired: z.record(z.string(), z.int()),
  /** Digests worth having loaded, hottest first, by calls counted with decay. */
  hot: z.array(z.string()),
});
export type RegistryState = z.infer<typeof registryState>;

export const emptyRegistry: RegistryState = { number: 0, models: {}, retired: {}, hot: [] };

/** What gateways read. */
export type Snapshot = RegistryState;

/** Every way the registry can change. Each is checked as a whole and then done as a whole, or refused with a fault. */
export type RegistryChange =
  | {
      readonly kind: "register";
      readonly manifest: z.infer<typeof modelManifest>;
      readonly digest: string;
      readonly source: RegisteredVersion["source"];
    }
  | { readonly kind: "set-state"; readonly model: string; readonly version: string; readonly state: VersionState }
  | { readonly kind: "remove"; readonly model: string; readonly version: string }
  | { readonly kind: "set-alias"; readonly model: string; readonly alias: string; readonly version: string | null }
  | { readonly kind: "set-policy"; readonly model: string; readonly policy: VersionPolicy }
  | { readonly kind: "set-stable"; readonly model: string; readonly version: string }
  | { readonly kind: "start-rollout"; readonly model: string; readonly rollout: z.infer<typeof rollout> }
  | {
      readonly kind: "advance-rollout";
      readonly model: string;
      readonly id: string;
      readonly step: number;
      readonly reason: string;
    }
  | {
      readonly kind: "end-rollout";
      readonly model: string;
      readonly id: string;
      readonly outcome: "promoted" | "rolled-back" | "stopped";
      readonly reason: string;
    }
  | { readonly kind: "set-hot"; readonly digests: readonly string[] };

/** One row of an audit: what changed, by whom, from what to what. Rows are only ever added. */
export const auditRow = z.object({
  /** Grows from row to row. */
  number: z.int(),
  atMs: z.number(),
  /**
   * An admin credential's name; `operator` for the deployment's own, `deployment` for what came with it, `controller` for
   * what a rollout did by itself, `key:<id>` for a tenant's key.
   */
  who: z.string(),
  kind: z.string(),
  model: z.optional(z.string()),
  /** Whose or what, where it is no model: `tenant:acme`, `key:<id>`, `plan:pro`, a purge's scope. */
  scope: z.optional(z.string()),
  /** What the changed part was before and is after; `null` where there was or is nothing. */
  from: z.unknown(),
  to: z.unknown(),
  reason: z.optional(z.string()),
});
export type AuditRow = z.infer<typeof auditRow>;
