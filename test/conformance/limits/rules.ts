import type { Rule } from "./rule.ts";
import { inFlightRules } from "./rules/in-flight.ts";
import { quotaRules } from "./rules/quotas.ts";
import { requestRules } from "./rules/requests.ts";
import { restartRules } from "./rules/restart.ts";
import { tokenRules } from "./rules/tokens.ts";

/** Every rule, in the order in which they are asked. */
export const rules: readonly Rule[] = [
  ...requestRules,
  ...tokenRules,
  ...inFlightRules,
  ...quotaRules,
  ...restartRules,
];
