/** Who has to act on a failure: the caller, the operator's configuration, capacity, an engine behind us, or Ledge itself. */
export type ErrorOwner = "client" | "config" | "capacity" | "upstream" | "platform";

export interface ErrorEntry {
  /** HTTP status. */
  readonly status: number;
  readonly owner: ErrorOwner;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** The public sentence. It never holds a secret, an address or a stack. */
  readonly message: string;
}

/**
 * The one table of everything that can go wrong in public. Codes are stable: clients branch on them.
 * `docs/errors.md` is generated from it.
 */
export const errors = {
  invalid_utf8: { status: 400, owner: "client", retryable: false, message: "The body is not valid UTF-8." },
  invalid_json: { status: 400, owner: "client", retryable: false, message: "The body is not valid JSON." },
  invalid_encoding: {
    status: 400,
    owner: "client",
    retryable: false,
    message: "The body cannot be decompressed as its Content-Encoding says.",
  },
  too_deep: { status: 400, owner: "client", retryable: false, message: "The body is nested too deeply." },
  invalid_request: {
    status: 400,
    owner: "client",
    retryable: false,
    message: "The request does not match the schema of this endpoint.",
  },
  invalid_shape: {
    status: 400,
    owner: "client",
    retryable: false,
    message: "A tensor's shape, datatype and data do not fit together or do not fit the model.",
  },
  invalid_header: { status: 400, owner: "client", retryable: false, message: "A request header has an invalid value." },
  unsupported_parameter: {
    status: 400,
    owner: "client",
    retryable: false,
    message: "The model cannot honour a parameter of this request.",
  },
  unsupported_task: {
    status: 400,
    owner: "client",
    retryable: false,
    message: "The model does not do what this endpoint asks for.",
  },
  context_length_exceeded: {
    status: 400,
    owner: "client",
    retryable: false,
    message: "The prompt and the allowed output do not fit the model's context.",
  },
  missing_credentials: {
    status: 401,
    owner: "client",
    retryable: false,
    message: "Send an API key or a token: 'Authorization: Bearer …'.",
  },
  invalid_credentials: {
    status: 401,
    owner: "client",
    retryable: false,
    message: "The API key or token is not valid.",
  },
  expired_credentials: { status: 401, owner: "client", retryable: false, message: "The token has expired." },
  scope_denied: {
    status: 403,
    owner: "client",
    retryable: false,
    message: "The credentials are valid and may not do this.",
  },
  address_denied: {
    status: 403,
    owner: "client",
    retryable: false,
    message: "The API key may not be used from this address.",
  },
  tenant_suspended: {
    status: 403,
    owner: "client",
    retryable: false,
    message: "The tenant is suspended. Its operator can say why.",
  },
  not_found: { status: 404, owner: "client", retryable: false, message: "There is nothing at this path." },
  model_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "No model of this name and version is deployed.",
  },
  version_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "The model has no version of this number.",
  },
  alias_not_found: { status: 404, owner: "client", retryable: false, message: "The model has no alias of this name." },
  rollout_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "No rollout of this id is running for the model.",
  },
  blob_not_found: { status: 404, owner: "client", retryable: false, message: "No blob of this SHA-256 is stored." },
  job_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "You have no job with this id. Jobs that are over are kept for a while.",
  },
  key_not_found: { status: 404, owner: "client", retryable: false, message: "There is no API key with this id." },
  tenant_not_found: { status: 404, owner: "client", retryable: false, message: "There is no tenant of this name." },
  project_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "The tenant has no project of this name.",
  },
  member_not_found: { status: 404, owner: "client", retryable: false, message: "The tenant has no such member." },
  terms_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "There is no plan or tier of this name, or the model has no terms of its own.",
  },
  admin_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "There is no admin credential of this name.",
  },
  block_not_found: { status: 404, owner: "client", retryable: false, message: "Nobody of this name is blocked." },
  cache_keys_not_found: {
    status: 404,
    owner: "client",
    retryable: false,
    message: "The tenant has no cache keys: they are made at its first call that can be kept.",
  },
  method_not_allowed: {
    status: 405,
    owner: "client",
    retryable: false,
    message: "This path does not take this method.",
  },
  rollout_running: {
    status: 409,
    owner: "client",
    retryable: false,
    message: "A rollout is running for the model. End it first.",
  },
  version_in_use: { status: 409, owner: "client", retryable: false, message: "Something still needs this version." },
  package_incomplete: {
    status: 409,
    owner: "client",
    retryable: false,
    message: "Files of the package are not stored, or have another size. Upload them first.",
  },
  registry_conflict: {
    status: 409,
    owner: "client",
    retryable: false,
    message: "The registry is not in the state that this change needs.",
  },
  directory_conflict: {
    status: 409,
    owner: "client",
    retryable: false,
    message: "The directory is not in the state that this change needs.",
  },
  body_too_large: {
    status: 413,
    owner: "client",
    retryable: false,
    message: "The body is larger than this deployment takes.",
  },
  input_too_large: {
    status: 413,
    owner: "client",
    retryable: false,
    message: "The input is over a limit.",
  },
  answer_too_large: {
    status: 413,
    owner: "client",
    retryable: false,
    message: "The answer is larger than this deployment keeps of a job. Ask for less at once.",
  },
  unsupported_media_type: {
    status: 415,
    owner: "client",
    retryable: false,
    message: "Send 'Content-Type: application/json' with an identity encoding.",
  },
  digest_mismatch: {
    status: 422,
    owner: "client",
    retryable: false,
    message: "The bytes do not have the SHA-256 that the path names.",
  },
  package_rejected: { status: 422, owner: "client", retryable: false, message: "The package cannot be run." },
  input_refused: {
    status: 422,
    owner: "client",
    retryable: false,
    message: "The tenant's policy refuses this input.",
  },
  guard_refused: {
    status: 422,
    owner: "client",
    retryable: false,
    message: "The tenant's guard model refuses this prompt.",
  },
  rate_limited: {
    status: 429,
    owner: "client",
    retryable: true,
    message: "Requests are used up: see Retry-After.",
  },
  tokens_limited: {
    status: 429,
    owner: "client",
    retryable: true,
    message: "Tokens are used up: see Retry-After.",
  },
  too_many_in_flight: {
    status: 429,
    owner: "client",
    retryable: true,
    message: "Too many calls are in flight.",
  },
  quota_exceeded: {
    status: 429,
    owner: "client",
    retryable: true,
    message:
      "The quota of this day or month does not cover the call. It is renewed at the time that Retry-After names.",
  },
  caller_blocked: {
    status: 429,
    owner: "client",
    retryable: true,
    message: "Too many bad requests came from here. Retry after the time that Retry-After names.",
  },
  unsupported_extension: {
    status: 501,
    owner: "client",
    retryable: false,
    message: "This server does not have this extension of the protocol.",
  },
  internal_error: {
    status: 500,
    owner: "platform",
    retryable: true,
    message: "Ledge failed. The request id finds it in the log.",
  },
  upstream_failed: { status: 502, owner: "upstream", retryable: true, message: "The engine behind this model failed." },
  overloaded: {
    status: 503,
    owner: "capacity",
    retryable: true,
    message: "No capacity is free for this model right now.",
  },
  origin_unavailable: {
    status: 503,
    owner: "upstream",
    retryable: true,
    message: "The origin that serves this model cannot be reached.",
  },
  identity_unavailable: {
    status: 503,
    owner: "upstream",
    retryable: true,
    message: "The credentials cannot be checked right now.",
  },
  ledger_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "The ledger of quotas and usage cannot be reached right now.",
  },
  directory_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "The directory of tenants and keys cannot be read or changed right now.",
  },
  blocks_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "The list of blocked callers cannot be read or changed right now.",
  },
  counts_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "What was counted of the models cannot be read right now.",
  },
  cache_keeper_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "The answer cache's rules cannot be read or changed right now.",
  },
  model_not_ready: {
    status: 503,
    owner: "config",
    retryable: true,
    message: "The model is deployed but cannot be loaded here.",
  },
  registry_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "The registry or its store cannot be reached right now.",
  },
  operator_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "The operator's API cannot be reached right now. Calls to models are answered as before.",
  },
  jobs_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "Jobs cannot be taken, run or looked at right now.",
  },
  counter_unavailable: {
    status: 503,
    owner: "platform",
    retryable: true,
    message: "What is counted of the model cannot be read or written right now.",
  },
  not_cached: {
    status: 504,
    owner: "client",
    retryable: false,
    message: "'Cache-Control: only-if-cached' was sent, and no answer is kept that serves this call.",
  },
  deadline_exceeded: {
    status: 504,
    owner: "capacity",
    retryable: true,
    message: "The answer did not come within the deadline.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errors;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errors, value);
}
