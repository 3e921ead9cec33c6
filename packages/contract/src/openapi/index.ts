export * from "./document.ts";
export { inferenceOperations } from "./open-inference.ts";
export { operations } from "./operations.ts";
export { operatorOperations } from "./operator.ts";
export { blockOperations } from "./operator-blocks.ts";
export { cacheOperations } from "./operator-cache.ts";
