export * from "./document.ts";
export { operations } from "./operations.ts";
export { operatorOperations } from "./operator.ts";
