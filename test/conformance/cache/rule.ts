import type { RuleOf } from "../suite/judge.ts";
import type { Feature } from "./profile.ts";
import type { Trial } from "./trial.ts";

export type Rule = RuleOf<Trial, Feature>;
