import * as z from "zod/mini";
import { modelVersion } from "./manifest.ts";
import { rollout } from "./rollout.ts";

/** `GET /admin/v1/models/{model}/rollout`: how a running rollout is doing. Shares are 0 to 1; what has no data yet is absent. */

/** An estimate and its 95 % interval. */
export const estimate = z.object({ value: z.number(), low: z.number(), high: z.number(), of: z.number() });
export type Estimate = z.infer<typeof estimate>;

/** Milliseconds; `high` is absent when it lies above the largest latency told apart (63 s). */
export const latencyEstimate = z.object({ value: z.number(), low: z.number(), high: z.optional(z.number()) });
export type LatencyEstimate = z.infer<typeof latencyEstimate>;

export const armReport = z.object({
  version: modelVersion,
  /** Share of calls it gets; of a shadow's second arm the share copied to it. */
  share: z.number(),
  /** Calls counted: those the split decided and no cache answered. */
  calls: z.number(),
  errors: z.optional(estimate),
  p50Ms: z.optional(latencyEstimate),
  p95Ms: z.optional(latencyEstimate),
  slow: z.optional(estimate),
  /** Mean best score. */
  confidence: z.optional(estimate),
  unsure: z.optional(estimate),
  /** Of a shadow: answers equal to the stable version's. */
  agreement: z.optional(estimate),
  /** Of a shadow: copies not made because too many were under way. */
  skipped: z.number(),
  /** Mean rating. */
  feedback: z.optional(estimate),
  disliked: z.optional(estimate),
});
export type ArmReport = z.infer<typeof armReport>;

const bounds = z.object({ lower: z.number(), upper: z.number() });
const counted = z.object({ bad: z.number(), of: z.number() });

/** What a canary is judged by, in its running step. The bounds hold at every moment at once: see docs/rollouts.md. */
export const criterionReport = z.object({
  name: z.enum(["error", "slow", "unsure", "disliked"]),
  tolerance: z.number(),
  stable: counted,
  stableBounds: bounds,
  candidate: counted,
  candidateBounds: bounds,
  verdict: z.enum(["fine", "in-doubt", "worse"]),
});
export type CriterionReport = z.infer<typeof criterionReport>;

export const rolloutReport = z.object({
  model: z.string(),
  rollout,
  arms: z.array(armReport),
  /** Of a canary: its criteria, and what it does next and why. */
  criteria: z.optional(z.array(criterionReport)),
  next: z.optional(z.object({ kind: z.enum(["wait", "advance", "promote", "roll-back"]), reason: z.string() })),
  /** Of a canary: from how many milliseconds on an answer is slow; absent while that is not known yet. */
  slowMs: z.optional(z.number()),
});
export type RolloutReport = z.infer<typeof rolloutReport>;

/** The answer to `POST /v1/feedback`. */
export const feedbackAnswer = z.object({
  /** False when this request was rated already: the first rating stays. */
  counted: z.boolean(),
});
export type FeedbackAnswer = z.infer<typeof feedbackAnswer>;
