import type { ChatRequest, ErrorCode, ModelManifest, PredictAnswer, PredictInput, Tier } from "@ledge/contract";
import type { ArmRef, CacheOutcome, CacheWish, ModelRef, RateDecision, RateRule, Work } from "@ledge/policy";

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

/** Sentences to classify: `/v1/predict` and `/v2/…/infer`. */
export interface ClassifyCall {
  readonly task: "text-classification";
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

export type Call = ClassifyCall | ChatCall;

/** Who is calling. Stored in KV under the hash of the key, or made from the claims of a verified token. */
export interface Principal {
  readonly tenant: string;
  /** Whose rate limit this is: unique across tenants. */
  readonly subject: string;
  readonly rate: RateRule;
}

/** A principal that passed its rate limit. */
export interface Admission {
  readonly principal: Principal;
  readonly rate: RateDecision;
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

/** What `observe` learns on the way, for the headers and the log line. */
export interface Trail {
  tenant?: string;
  rate?: { readonly rule: RateRule; readonly decision: RateDecision };
  model?: DeployedModel;
  /** Set when a rollout chose the version. */
  arm?: ArmRef;
  tier?: Tier;
  cache?: CacheOutcome;
  /** What the tier did; absent when none answered. */
  work?: Work;
  /** Set when the answer is a stream: how the call ended is known, and recorded, when that ends. */
  streams?: true;
  code?: ErrorCode;
  cause?: string;
  /** Milliseconds spent per stage, for `Server-Timing`. */
  readonly timings: Record<string, number>;
}
