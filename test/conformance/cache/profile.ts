/** How one kind of gateway is asked for what the rules are about, and what it says that it does. */
export interface Profile {
  readonly name: string;
  /** One line for `--help`: how the target has to be configured. */
  readonly about: string;
  readonly claims: ReadonlySet<Feature>;
  /** Below the target's base URL. Default `/v1/chat/completions`. */
  readonly path?: string;
  /** What a call carries beside its body. Throws `NotOffered` for a wish that the target cannot be asked for. */
  dress(call: Undressed): Dress;
  /** Changes what its operator can change; absent where no rule can ask for it. */
  readonly operator?: (at: OperatorAddress) => Operator;
}

export type Feature =
  | "exact" // answers an equal call again without asking its upstream
  | "canonical" // knows equal calls that are written differently
  | "sampled" // keeps sampled answers only when asked
  | "streams" // keeps streams
  | "pieces" // replays a stream in the pieces that it came in
  | "forms" // answers a stream from a whole answer and the other way round
  | "tools" // keeps tool calls
  | "usage" // says the same usage in every form
  | "directives" // request Cache-Control
  | "ttl" // a caller says how long an answer lives
  | "partition" // a caller adds to the key
  | "ranges" // refuses what it is asked for and cannot do
  | "status" // Cache-Status
  | "age" // Age
  | "validation" // ETag and If-None-Match
  | "stale" // stale answers by policy
  | "purge"
  | "shred" // keys per tenant, rotated and destroyed
  | "one-flight" // equal misses are collapsed
  | "deadline"; // a caller says how long it waits

/** What a call asks of the cache, as the text that a caller writes: rules send malformed ones too. */
export interface Wish {
  readonly cacheControl?: string;
  /** Seconds. */
  readonly ttl?: string;
  readonly partition?: string;
  readonly tags?: string;
  readonly ifNoneMatch?: string;
  readonly timeoutMs?: string;
}

export interface Undressed {
  readonly key: string;
  /** Where the mock origin listens, without a path. */
  readonly originUrl: string;
  readonly wish: Wish;
}

export interface Dress {
  readonly headers: Readonly<Record<string, string>>;
  /** Members that the target takes in the body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface OperatorAddress {
  /** The target's base URL. */
  readonly url: string;
  readonly adminKey: string;
}

/** Scopes by the names that the target knows. */
export type Scope =
  | { readonly all: true }
  | { readonly tenant: string }
  | { readonly model: string }
  | { readonly tenant: string; readonly tag: string }
  | { readonly tenant: string; readonly key: string };

export interface StalePolicy {
  readonly staleWhileRevalidateS?: number;
  readonly staleIfErrorS?: number;
}

/** Every method throws when the target refuses. */
export interface Operator {
  purge(scope: Scope): Promise<void>;
  /** The model's stale windows; `undefined` takes them back. */
  setStale(model: string, policy: StalePolicy | undefined): Promise<void>;
  /** A new key for the tenant's entries; the old one still reads. */
  rotateKey(tenant: string): Promise<void>;
  /** Destroys the tenant's keys. */
  destroyKeys(tenant: string): Promise<void>;
}
