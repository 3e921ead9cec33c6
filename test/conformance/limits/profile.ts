/** What a key is to be allowed. A rule names what it is about; everything else is not limited. */
export interface Allowed {
  readonly requestsPerMinute?: number;
  /** Of output at least; a target may count the prompt's as well, 20 at most. */
  readonly tokensPerMinute?: number;
  /** Calls that have not been answered to their end. */
  readonly inFlight?: number;
  readonly callsPerDay?: number;
  /** As with {@link tokensPerMinute}. */
  readonly tokensPerDay?: number;
  /** Money a day: what so many calls and a half cost, of 80 tokens at most each. */
  readonly callsWorthPerDay?: number;
}

/** What a gateway says was used. Money in any unit, as long as it is the same each time. */
export interface Spent {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly money: number;
}

export interface Issued {
  readonly key: string;
  /** What the key's owner, who has no other key, has used so far; absent where the target does not say. */
  readonly spent?: () => Promise<Spent>;
}

export type Feature =
  | "requests" // limits of requests per minute
  | "tokens" // limits of tokens per minute
  | "in-flight" // limits of calls at the same time
  | "retry-after" // says when to come back
  | "quota" // so many calls or tokens a day, and no more
  | "money" // so much money a day, and no more
  | "usage" // says what was used
  | "durable"; // knows after a restart what was used before

/** How one kind of gateway is asked for what the rules are about, and what it says that it does. */
export interface Profile {
  readonly name: string;
  /** One line for `--help`: how the target has to be configured. */
  readonly about: string;
  readonly claims: ReadonlySet<Feature>;
  /** What a call carries beside its body. */
  dress(call: { readonly key: string; readonly originUrl: string }): Readonly<Record<string, string>>;
  /** A new key that nobody has used, of an owner of its own. Throws `NotOffered` for what the target has no limit of. */
  issue(allowed: Allowed, at: Desk): Promise<Issued>;
}

/** Where a target's operator is asked. */
export interface Desk {
  /** The target's base URL. */
  readonly url: string;
  readonly adminKey?: string;
  /** A command of the user's that makes keys; see `--help`. */
  readonly issueCommand?: string;
}
