import * as z from "zod/mini";
import { modelVersion } from "./manifest.ts";

/** Hundredths of a per cent: whole numbers, so that shares add up. */
const basisPoints = z.int().check(z.gte(0), z.lte(10_000));

export const rolloutArm = z.object({ version: modelVersion, weight: basisPoints });
export type RolloutArm = z.infer<typeof rolloutArm>;

/** What counts as a bad answer. All four are yes or no per call, so that one statistical rule judges them all. */
export const rolloutLimits = z.object({
  /** An answer slower than this is slow, milliseconds. Default: the stable version's p95 when the rollout starts. */
  slowMs: z.optional(z.number().check(z.positive())),
  /** An answer whose best score lies below this is unsure. */
  unsureBelow: z.number().check(z.gte(0), z.lte(1)),
  /** How much worse the candidate may be before it is rolled back, as a share of calls. */
  errorTolerance: z.number().check(z.gte(0), z.lt(1)),
  slowTolerance: z.number().check(z.gte(0), z.lt(1)),
  unsureTolerance: z.number().check(z.gte(0), z.lt(1)),
  dislikedTolerance: z.number().check(z.gte(0), z.lt(1)),
});
export type RolloutLimits = z.infer<typeof rolloutLimits>;

const common = {
  /** Also the salt of the split: a new rollout deals the callers anew. */
  id: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  startedAtMs: z.number(),
  limits: rolloutLimits,
};

/** Share of traffic by steps, up to all of it; judged by itself. `arms[0]` is the stable version, `arms[1]` the candidate. */
export const canary = z.object({
  kind: z.literal("canary"),
  ...common,
  /** The candidate's weight at each step, growing, the last 10,000. */
  steps: z.array(basisPoints.check(z.gte(1))).check(z.minLength(1), z.maxLength(20)),
  step: z.int().check(z.gte(0)),
  stepStartedAtMs: z.number(),
  /** Calls the candidate must have had in a step, and how long a step lasts at least. */
  callsMin: z.int().check(z.gte(1)),
  stepMsMin: z.int().check(z.gte(0)),
  arms: z.tuple([rolloutArm, rolloutArm]),
  /** Anytime-valid chance of rolling back a candidate that is within all tolerances. */
  falseAlarm: z.number().check(z.gt(0), z.lt(1)),
});

/** A fixed split, reported per arm, ended by hand. */
export const experiment = z.object({
  kind: z.literal("experiment"),
  ...common,
  arms: z.array(rolloutArm).check(z.minLength(2), z.maxLength(8)),
});

/** Copies of a share of the stable version's calls go to another version off the request path. */
export const shadow = z.object({ kind: z.literal("shadow"), ...common, arms: z.tuple([rolloutArm, rolloutArm]) });

/** Who answers a bare name while versions change over. Weights of a canary's and an experiment's arms add up to 10,000; a shadow's second weight is the share copied. */
export const rollout = z.discriminatedUnion("kind", [canary, experiment, shadow]);
export type Rollout = z.infer<typeof rollout>;
export type Canary = z.infer<typeof canary>;
export type Experiment = z.infer<typeof experiment>;
export type Shadow = z.infer<typeof shadow>;

/** `POST /admin/v1/models/{model}/rollout`. */
export const startRolloutRequest = z.union([
  z.strictObject({
    kind: z.literal("canary"),
    version: modelVersion,
    /** Per cent, growing; the last must be 100. Default 1, 5, 25, 100. */
    steps: z.optional(z.array(z.number().check(z.gt(0), z.lte(100))).check(z.minLength(1), z.maxLength(20))),
    calls_min: z.optional(z.int().check(z.gte(1), z.lte(100_000_000))),
    step_seconds_min: z.optional(z.number().check(z.gte(0), z.lte(2_592_000))),
    slow_ms: z.optional(z.number().check(z.positive())),
    unsure_below: z.optional(z.number().check(z.gte(0), z.lte(1))),
    tolerance: z.optional(
      z.strictObject({
        error: z.optional(z.number().check(z.gte(0), z.lt(1))),
        slow: z.optional(z.number().check(z.gte(0), z.lt(1))),
        unsure: z.optional(z.number().check(z.gte(0), z.lt(1))),
        disliked: z.optional(z.number().check(z.gte(0), z.lt(1))),
      }),
    ),
    false_alarm: z.optional(z.number().check(z.gt(0), z.lte(0.2))),
  }),
  z.strictObject({
    kind: z.literal("experiment"),
    /** Per cent by version; they add up to 100. */
    weights: z.record(modelVersion, z.number().check(z.gte(0), z.lte(100))),
    slow_ms: z.optional(z.number().check(z.positive())),
    unsure_below: z.optional(z.number().check(z.gte(0), z.lte(1))),
  }),
  z.strictObject({
    kind: z.literal("shadow"),
    version: modelVersion,
    /** Per cent of calls copied. Default 100. */
    percent: z.optional(z.number().check(z.gt(0), z.lte(100))),
  }),
]);
export type StartRolloutRequest = z.infer<typeof startRolloutRequest>;

/** `POST /v1/feedback`: how good an answer was. `model` as its `Ledge-Model` header said, `name@version`. */
export const feedbackRequest = z.strictObject({
  request_id: z.string().check(z.regex(/^[A-Za-z0-9._:-]{1,64}$/)),
  model: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}@[1-9][0-9]{0,8}$/, "name@version")),
  /** 0 (bad) to 1 (good); below 0.5 the answer counts as disliked. */
  score: z.number().check(z.gte(0), z.lte(1)),
});
export type FeedbackRequest = z.infer<typeof feedbackRequest>;
