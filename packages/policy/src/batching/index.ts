export { type BatchCall, type BatchRule, cellsOf, rowsOf, type Ticket } from "./call.ts";
export { oldestEvery } from "./form.ts";
export { type Arrival, arrive, emptyLine, end, type Line, leave, next, type Step } from "./line.ts";
