import type { Rule } from "./rule.ts";
import { controlRules } from "./rules/control.ts";
import { failureRules } from "./rules/failures.ts";
import { flightRules } from "./rules/flight.ts";
import { freshnessRules } from "./rules/freshness.ts";
import { keyRules } from "./rules/key.ts";
import { purgeRules } from "./rules/purge.ts";
import { sampledRules } from "./rules/sampled.ts";
import { streamRules } from "./rules/streams.ts";
import { tenantRules } from "./rules/tenants.ts";

/** Every rule, in the order in which they are asked. Purges come last: they take out what others may still use. */
export const rules: readonly Rule[] = [
  ...keyRules,
  ...tenantRules,
  ...failureRules,
  ...sampledRules,
  ...streamRules,
  ...controlRules,
  ...freshnessRules,
  ...flightRules,
  ...purgeRules,
];
