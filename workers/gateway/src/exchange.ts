import type {
  Action,
  CapacityShare,
  ChatRequest,
  ErrorCode,
  LedgerRules,
  ModelManifest,
  PredictAnswer,
  PredictInput,
  Price,
  Scope,
  Task,
  TenantRecord,
  Tensors,
  Tier,
  Used,
} from "@ledge/contract";
import type { ArmRef, CacheOutcome, CacheWish, ModelRef, PlacementReason, Standing, Work } from "@ledge/policy";

/** What travels through the stages. Each stage adds its part; none changes what another wrote. */

/** What `accept` reads from the request line and headers, before the body. */
export interface Envelope {
  readonly requestId: string;
  readonly startedMs: number;
  /** Absolute, milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly cache: CacheWish;
  /** What the caller wants a rollout to deal by; absent: by who it is. */
  readonly stickyKey?: string;
}

/** What a model can be asked through its own steps. */
export type StepsTask = Exclude<Task, "chat" | "tensor">;

/** Inputs for a model's own steps: `/v1/predict`, `/v1/embeddings` and `/v2/…/infer`. */
export interface ClassifyCall {
  readonly task: StepsTask;
  readonly model: ModelRef;
  readonly inputs: readonly PredictInput[];
  readonly topK: number;
  readonly logits: boolean;
}

/** A conversation to continue: `/v1/chat/completions`. */
export interface ChatCall {
  readonly task: "chat";
  readonly model: ModelRef;
  readonly body: ChatRequest;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** Tensors for the graph itself: `/v2/…/infer` by the graph's own names. */
export interface TensorsCall {
  readonly task: "tensor";
  readonly model: ModelRef;
  readonly inputs: Tensors;
  /** Outputs wanted, in any order; all when absent. */
  readonly outputs?: readonly string[];
}

export type Call = ClassifyCall | ChatCall | TensorsCall;

/** Who is calling: by an API key, or by the claims of a token. */
export interface Principal {
  readonly tenant: string;
  /** The caller itself: `key:<id>` or `jwt:<length of tenant>:<tenant>:<sub>`. Unique across tenants. */
  readonly subject: string;
  /** Absent for tokens. */
  readonly keyId?: string;
  readonly project?: string;
  /** A token's subject, or the member whose key it is. */
  readonly user?: string;
  readonly scopes: readonly Scope[];
  readonly standing: Standing;
}

/** What a call asks for, as far as it is known before it is assigned to a version. */
export interface Demand {
  /** Absent for a look at what is deployed, which every credential may take. */
  readonly action?: Action;
  /** By name; absent when no model is asked. */
  readonly model?: string;
  /** Of the body as it was read: no prompt in it becomes more tokens than this. */
  readonly inputBytes: number;
  /** Tokens of the prompt, where they were counted. */
  readonly inputTokens?: number;
  /** Counts them, for who wants to know; `undefined` when they cannot be told in time. Never fails. */
  readonly countPrompt?: (principal: Principal) => Promise<number | undefined>;
  /** The most tokens that the answer may have; absent: the caller set no bound. */
  readonly outputTokensMax?: number;
  /** When the call is over at the latest, milliseconds since 1970; absent: the deployment's longest time from now. */
  readonly deadlineMs?: number;
}

/** One limit that applied to a call, as it stood then. */
export interface StandingLimit {
  /** As headers call it: `requests`, `tenant-tokens`, … */
  readonly name: string;
  readonly unit: "requests" | "tokens" | "calls";
  readonly limit: number;
  /** Absent for calls in flight. */
  readonly windowMs?: number;
  readonly left: number;
  readonly resetMs: number;
}

/** The bound that limits put on an answer whose caller set none, and what becomes of a stream that passes it. */
export interface OutputLimit {
  readonly tokens: number;
  readonly policy: TenantRecord["overrun"];
}

/** What a call holds of a limit or a quota until it is over. Settling is done once, and never fails. */
export interface Hold {
  /** `undefined`: the call was refused, failed or was never begun, and what it held is given back whole. */
  settle(used: Used | undefined): void;
}

/** Who pays for a call, and by which terms. */
export interface Payment {
  /** The id of its row. */
  readonly call: string;
  readonly principal: Principal;
  readonly action: Action;
  readonly price: Price;
  readonly currency: string;
  readonly rules: LedgerRules;
}

/** A deployed model version. `digest` is its package's, hex: see `packageDocument`. */
export interface DeployedModel {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly manifest: ModelManifest;
}

export interface Classification {
  readonly answer: PredictAnswer;
  readonly tier: Tier;
}

/** What the graph gave, by its own names. */
export interface Inference {
  readonly outputs: Tensors;
  readonly tier: Tier;
}

/** What `observe` learns on the way, for the headers and the log line. */
export interface Trail {
  tenant?: string;
  limits?: readonly StandingLimit[];
  outputLimit?: OutputLimit;
  /** The caller itself, once it is known. */
  subject?: string;
  /** The model as it was asked for. */
  asked?: ModelRef;
  model?: DeployedModel;
  /** Set when a rollout chose the version. */
  arm?: ArmRef;
  tier?: Tier;
  /** Why a call that more than one tier could answer went where it went first. */
  placed?: PlacementReason;
  /** Which origin answered, and after what, as it is said in the answer. */
  origin?: string;
  cache?: CacheOutcome;
  /** Whose part of a tier's capacity the call takes. */
  share?: CapacityShare;
  /** What the tenant's policy flags in the input, as said in the answer. */
  flags?: readonly string[];
  /** What the call holds until it is over. */
  holds?: readonly Hold[];
  /** What it used, as far as that is known; of an answer that was kept, nothing. */
  used?: Used;
  /** What the cache spared it: what a kept answer had used when it was made. */
  spared?: Used;
  /** Set for a call that a model is asked. */
  payment?: Payment;
  /** Micro-cents, once it is over. */
  cost?: number;
  /** What the tier did; absent when none answered. */
  work?: Work;
  /** Set when the answer is a stream: how the call ended is known, and recorded, when that ends. */
  streams?: true;
  /** What a caller may ask for in place of a refusal. */
  offer?: string;
  code?: ErrorCode;
  cause?: string;
  /** Milliseconds spent per stage, for `Server-Timing`. */
  readonly timings: Record<string, number>;
}
