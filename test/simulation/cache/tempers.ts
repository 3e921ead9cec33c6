/** What happens in a run, and what may go wrong in it. */
export interface Temper {
  readonly name: string;
  /** By weight. */
  readonly actions: Readonly<Record<Action, number>>;
  readonly troubles: readonly ("kv" | "rules" | "rooms" | "origin")[];
  /** What a run must have seen, or it showed nothing. */
  readonly shows: readonly string[];
  /** How long callers wait, milliseconds. */
  readonly patience: readonly number[];
  /** Nothing goes wrong and nobody leaves: then equal calls cost one. */
  readonly calm?: true;
}

export type Action =
  | "call"
  | "burst"
  | "leave"
  | "purge"
  | "policy"
  | "rotate"
  | "destroy"
  | "register"
  | "hear"
  | "catch-up"
  | "kill"
  | "evict"
  | "mood"
  | "recover";

const plain: Temper["actions"] = {
  call: 70,
  burst: 14,
  leave: 0,
  purge: 2,
  policy: 1,
  rotate: 0.4,
  destroy: 0.3,
  register: 0.5,
  hear: 2,
  "catch-up": 0.5,
  kill: 0,
  evict: 0,
  mood: 0,
  recover: 0,
};
const troubled = { ...plain, mood: 1.2, recover: 0.8 };
const deadly = { leave: 3, kill: 0.7, evict: 1.5 };
const patience = [2_000, 8_000, 30_000];

export const tempers: readonly Temper[] = [
  { name: "nothing is out of order", actions: plain, troubles: [], shows: [], patience: [20_000, 30_000], calm: true },
  {
    name: "KV is slow, failing, stale or confused",
    actions: troubled,
    troubles: ["kv"],
    shows: ["unsealed"],
    patience,
  },
  {
    name: "rules and keys are late, lost or confused",
    actions: troubled,
    troubles: ["rules"],
    shows: ["answer by bypass"],
    patience,
  },
  {
    name: "the origin fails and breaks off",
    actions: troubled,
    troubles: ["origin"],
    shows: ["answer by stale-if-error", "broken"],
    patience,
  },
  {
    name: "isolates and objects die and callers leave",
    actions: { ...troubled, ...deadly },
    troubles: ["rooms"],
    shows: ["kill", "evict", "leave"],
    patience,
  },
  {
    name: "all of it happens at once",
    actions: { ...troubled, ...deadly },
    troubles: ["kv", "rules", "rooms", "origin"],
    shows: ["unsealed", "answer by stale-if-error", "kill", "evict", "leave"],
    patience,
  },
];
