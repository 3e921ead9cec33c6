import type { BatchRule } from "@ledge/policy/batching";
import * as z from "zod/mini";
import { readJsonSetting } from "../json-setting.ts";

const some = z.strictObject({
  /** Rows in a run of several calls; a package's `batchMax` holds besides. */
  rowsMax: z.optional(z.int().check(z.gte(1), z.lte(1024))),
  /** Rows × the longest of them, padding included, in a run. */
  cellsMax: z.optional(z.int().check(z.gte(1), z.lte(16_777_216))),
  /** Of a run, the most that may be padding. */
  paddingMax: z.optional(z.number().check(z.gte(0), z.lte(0.95))),
  /** Sizes that the engine runs best. */
  preferredRows: z.optional(
    z.array(z.int().check(z.gte(1), z.lte(1024))).check(
      z.maxLength(16),
      z.refine((sizes) => sizes.every(isAbove), { message: "sizes, the smallest first" }),
    ),
  ),
  /** The longest that a call waits for mates while the engine is free, milliseconds. */
  delayMs: z.optional(z.number().check(z.gte(0), z.lte(1_000))),
  /** Calls that may wait. */
  waitingMax: z.optional(z.int().check(z.gte(0), z.lte(100_000))),
  /** Runs at once. */
  runningMax: z.optional(z.int().check(z.gte(1), z.lte(1024))),
});
type Some = z.infer<typeof some>;

function isAbove(size: number, at: number, sizes: readonly number[]): boolean {
  return size > (sizes[at - 1] ?? 0);
}

const models = /^(?:\*|[a-z0-9][a-z0-9._-]{0,63}(?:@[1-9][0-9]{0,8})?)$/;
const schema = z.record(z.string(), z.union([z.boolean(), some])).check(
  z.refine((named) => Object.keys(named).every((name) => models.test(name)), {
    message: "names are those of models, of models with @ and their version, or '*'",
  }),
);

/** By `name@version`, `name` or `*`: whether a model's calls share runs, and how. */
export type BatchSettings = Readonly<Record<string, boolean | Some>>;

/** Reads `BATCHING`: JSON, or the path of a file that holds it. Every fault goes into `faults`, a sentence that says what to type. */
export function readBatchSettings(given: string | undefined, faults: string[]): BatchSettings {
  return readJsonSetting(batchingSetting, given, faults) ?? {};
}

const batchingSetting = {
  name: "BATCHING",
  opens: "{",
  wanted: `an object like {"embed":{"rowsMax":16},"intent":false}, or to a file's path`,
  schema,
} as const;

export interface ModelName {
  readonly name: string;
  readonly version: string;
}

/** The settings that hold for a model, the nearest first. */
function settingsFor(settings: BatchSettings, { name, version }: ModelName): readonly (boolean | Some)[] {
  return [`${name}@${version}`, name, "*"].flatMap((key) => settings[key] ?? []);
}

/** Whether a model is named, not only meant by `*`. */
export function isNamed(settings: BatchSettings, { name, version }: ModelName): boolean {
  return settings[name] !== undefined || settings[`${name}@${version}`] !== undefined;
}

/** How the model's calls share runs; undefined when they do not. */
export function ruleOf(settings: BatchSettings, model: ModelName, limits: Limits): BatchRule | undefined {
  const found = settingsFor(settings, model);
  if (found[0] === false) return undefined;
  const own: Some = Object.assign({}, ...found.filter((one) => typeof one === "object").toReversed());
  const rowsMax = Math.min(own.rowsMax ?? rowsMaxDefault, limits.rowsMax ?? Number.POSITIVE_INFINITY);
  return {
    rowsMax,
    cellsMax: own.cellsMax ?? 16_384,
    paddingMax: own.paddingMax ?? 0.5,
    preferredRows: (own.preferredRows ?? []).filter((rows) => rows <= rowsMax),
    delayMsMax: own.delayMs ?? 2,
    waitingMax: own.waitingMax ?? limits.waitingMax,
    runningMax: own.runningMax ?? limits.runningMax,
  };
}

export interface Limits {
  /** Rows of one run that the model takes; undefined: no bound. */
  readonly rowsMax: number | undefined;
  readonly waitingMax: number;
  readonly runningMax: number;
}

const rowsMaxDefault = 32;

/** Names in the settings of which no model is served. */
export function strangers(settings: BatchSettings, models: readonly ModelName[]): readonly string[] {
  const known = new Set(models.flatMap(({ name, version }) => [name, `${name}@${version}`]));
  return Object.keys(settings).filter((key) => key !== "*" && !known.has(key));
}
