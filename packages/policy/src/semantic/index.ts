export { comparableCharsMax, type Disagreement, disagreement } from "./disagreement.ts";
