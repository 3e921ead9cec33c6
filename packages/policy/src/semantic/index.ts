export { comparableCharsMax, type Disagreement, disagreement } from "./disagreement.ts";
export { pairText } from "./pair-text.ts";
