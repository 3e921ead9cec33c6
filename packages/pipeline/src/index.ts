export { type Classifier, type ClassifierOptions, createClassifier, type Predicted } from "./classifier.ts";
export { type FeatureHashing, featureHashing } from "./prepare/feature-hashing.schema.ts";
export { type Featurize, featureHasher } from "./prepare/feature-hashing.ts";
export { padRows } from "./prepare/pad.ts";
export { planRuns, type RunLimits } from "./prepare/plan-runs.ts";
export type { Run } from "./run.ts";
export { readLogits } from "./shape/read-logits.ts";
export { type Asked, toPrediction } from "./shape/to-prediction.ts";
export { softmax, topIndices } from "./shape/top-labels.ts";
