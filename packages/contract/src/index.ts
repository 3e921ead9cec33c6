export * from "./chat.ts";
export * from "./errors.ts";
export * from "./headers.ts";
export * from "./manifest.ts";
export * from "./parse.ts";
export * from "./predict.ts";
export * from "./problem.ts";
export * from "./result.ts";
