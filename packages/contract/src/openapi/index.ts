export * from "./document.ts";
export { inferenceOperations } from "./open-inference.ts";
export { operations } from "./operations.ts";
export { operatorOperations } from "./operator.ts";
export { cacheOperations } from "./operator-cache.ts";
export { keyOperations } from "./operator-keys.ts";
export { tenancyOperations } from "./operator-tenancy.ts";
export { termsOperations } from "./operator-terms.ts";
export { usageOperations } from "./operator-usage.ts";
