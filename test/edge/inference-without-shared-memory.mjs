/**
 * The inference Worker in a runtime that has no shared memory at all: neither the global nor a way to make one.
 * Local workerd has both, production may not.
 */
import "./inference-remove-shared-memory.mjs";

export { default } from "../../workers/inference/src/index.ts";
