/** What the specimen can be told to do wrong, and the rules that must find it. */
export const faults = {
  "looks before it takes": [
    "requests-exact",
    "tokens-exact",
    "in-flight-exact",
    "quota-calls",
    "quota-tokens",
    "quota-money",
  ],
  "asks the origin before it refuses": ["requests-unasked"],
  "has one limit for all keys": ["requests-apart"],
  "begins a new window each minute": ["requests-edge"],
  "counts malformed calls": ["malformed-free"],
  "says too early when to come back": ["retry-after"],
  "charges refusals": ["refusal-free", "tokens-refused-free"],
  "counts no tokens": ["tokens-counted", "tokens-counted-stream"],
  "counts no streams": ["tokens-counted-stream", "usage-forms", "usage-exact"],
  "keeps what was declared": [
    "tokens-settled",
    "tokens-settled-stream",
    "tokens-cancelled",
    "tokens-failed",
    "quota-failed",
  ],
  "forgets calls whose caller leaves": ["tokens-cancelled", "in-flight-left"],
  "forgets calls that fail": ["tokens-failed", "in-flight-failed", "quota-failed"],
  "frees a stream's place when it begins": ["in-flight-stream"],
  "charges more for a stream that was left": ["usage-left"],
  "forgets at a restart": ["restart-requests", "restart-tokens", "restart-quota", "restart-usage"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Fault = keyof typeof faults;
