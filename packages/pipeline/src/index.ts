export { filesOfSteps } from "./files-of-steps.ts";
export { type FeatureHashing, featureHashing } from "./prepare/feature-hashing.schema.ts";
export { planRuns, type RunLimits } from "./prepare/plan-runs.ts";
export type { PreparedRow } from "./prepare/preparer.ts";
export { checkTensors } from "./raw/check-tensors.ts";
export { zeroTensors } from "./raw/zero-tensors.ts";
export type { Run } from "./run.ts";
export { createServable, type Servable, type ServableOptions } from "./servable.ts";
export type { Asked, OutputRow } from "./shape/shaper.ts";
