export { type Amounts, amountsOf, type CallTokens, type Measure, measuresIn } from "./amounts.ts";
export { freshMeter, type Grant, isIdle, type MeterState, type Settlement } from "./draft.ts";
export { Holding, type Share } from "./lease.ts";
export {
  type LeasePolicy,
  type LimitState,
  leasePolicy,
  type MeterAnswer,
  type MeterAsk,
  marginMs,
  meterStep,
} from "./meter.ts";
