import { cacheTtlSMax } from "../cache.ts";
import { headers } from "../headers.ts";
import type { Operation } from "./operation.ts";
import { queryComponents } from "./query.ts";

/** The headers and parameters of the description. */

const text = { schema: { type: "string" } } as const;
const seconds = { schema: { type: "integer", minimum: 1 } } as const;

export const headerComponents = {
  [headers.requestId]: { ...text, description: "Finds this request in the log." },
  [headers.model]: { ...text, description: "The model that answered, `name@version`." },
  [headers.tier]: { schema: { enum: ["edge", "origin"] }, description: "Where it was answered." },
  [headers.origin]: {
    ...text,
    description: "Which origin gave it, `eu-1; region=eu; attempts=2`; absent when none was asked.",
  },
  [headers.fallback]: {
    ...text,
    description: "Of a chat that another model answered: which one could not, and why, `for=big@3; code=overloaded`.",
  },
  [headers.cacheStatus]: { ...text, description: "RFC 9211: what the answer cache did." },
  ETag: { ...text, description: "Names what is kept of the answer." },
  Age: { schema: { type: "integer", minimum: 0 }, description: "Seconds since a kept answer was made." },
  [headers.rateLimit]: { ...text, description: "What is left of each limit: `r`, whole again in `t` seconds." },
  [headers.rateLimitPolicy]: {
    ...text,
    description: "Every limit that applied: `q` requests, or what `qu` says, in `w` seconds.",
  },
  [headers.cost]: {
    ...text,
    description: "What the call cost, `0.00012345 USD`; of a stream it is told behind its events.",
  },
  [headers.serverTiming]: { ...text, description: "Milliseconds, in all and of the parts." },
  [headers.retryAfter]: { ...seconds, description: "Seconds after which a retry makes sense." },
  "WWW-Authenticate": { ...text, description: "RFC 6750." },
} as const;

export const parameterComponents = {
  ...queryComponents,
  model: path("model", "`name`, `name@version` or `name@alias`.", "^[a-z0-9][a-z0-9._-]{0,63}(@[a-z0-9-]{1,32})?$"),
  version: path("version", "A deployed version.", "^[0-9]{1,9}$"),
  id: path("id", "The key's id.", "^[0-9a-f]{24}$"),
  job: path("job", "The job's id.", "^job_[0-9a-f]{28}$"),
  sha256: path("sha256", "SHA-256 of the bytes.", "^[0-9a-f]{64}$"),
  digest: path("digest", "A package's digest.", "^[0-9a-f]{64}$"),
  alias: path("alias", "An alias; not `stable` or `latest`.", "^[a-z][a-z0-9-]{0,31}$"),
  tenant: path("tenant", "Of an API key or a token.", "^.{1,128}$"),
  project: path("project", "A tenant's project.", "^[a-z0-9][a-z0-9._-]{0,63}$"),
  user: path("user", "A member of the tenant.", "^.{1,256}$"),
  plan: path("plan", "A plan.", "^[a-z0-9][a-z0-9._-]{0,63}$"),
  tier: path("tier", "A tier.", "^[a-z0-9][a-z0-9._-]{0,63}$"),
  name: path("name", "An admin credential's name.", "^[a-z][a-z0-9._-]{0,63}$"),
  [headers.requestId]: header(headers.requestId, "Your own id for this request, kept when it is short and plain.", {
    type: "string",
    pattern: "^[A-Za-z0-9._:-]{1,64}$",
  }),
  [headers.timeoutMs]: header(headers.timeoutMs, "How long you still wait, in milliseconds.", {
    type: "integer",
    minimum: 1,
  }),
  [headers.stickyKey]: header(
    headers.stickyKey,
    "Whose arm of a rollout this call belongs to; default: the credential's.",
    {
      type: "string",
      pattern: "^[A-Za-z0-9._:@-]{1,128}$",
    },
  ),
  "Cache-Control": header(
    "Cache-Control",
    "RFC 9111: `no-cache`, `no-store`, `max-age`, `min-fresh`, `max-stale`, `only-if-cached`.",
    { type: "string" },
  ),
  Prefer: header(
    "Prefer",
    "RFC 7240: `respond-async` to have the call taken as a job when nobody can answer it; with `wait`, after so many seconds.",
    { type: "string" },
  ),
  "If-None-Match": header("If-None-Match", "An answer's `ETag`: 304 when that is the answer still.", {
    type: "string",
  }),
  [headers.cacheTtl]: header(headers.cacheTtl, "For how many seconds the answer to this call is fresh.", {
    type: "integer",
    minimum: 1,
    maximum: cacheTtlSMax,
  }),
  [headers.cacheKey]: header(headers.cacheKey, "A partition of the cache: answers of another are not found.", {
    type: "string",
    pattern: "^[A-Za-z0-9._:@-]{1,128}$",
  }),
  [headers.cacheTag]: header(headers.cacheTag, "Up to 8 tags to purge the kept answer by, with commas.", {
    type: "string",
  }),
  [headers.cacheSemantic]: header(
    headers.cacheSemantic,
    "Whether the answer to a prompt that means the same will do.",
    {
      enum: ["on", "off"],
    },
  ),
} as const;

function path(name: string, description: string, pattern: string) {
  return { name, in: "path", required: true, description, schema: { type: "string", pattern } };
}

function header(name: string, description: string, schema: object) {
  return { name, in: "header", description, schema };
}

type HeaderName = keyof typeof headerComponents;

/** Clients of the Open Inference Protocol know no cache: for them the description stays the protocol's. */
export function saysCache({ inference, surface }: Operation): boolean {
  return inference === true && surface !== "Open Inference Protocol";
}

/** The headers of an operation's answer. */
export function answerHeaders(operation: Operation): object {
  const limits = operation.credential === "caller" ? ([headers.rateLimit, headers.rateLimitPolicy] as const) : [];
  const kept = saysCache(operation) ? (["ETag", "Age", headers.cost, headers.origin, headers.fallback] as const) : [];
  const called = [headers.model, headers.tier, headers.cacheStatus, ...kept, headers.serverTiming] as const;
  return refs([headers.requestId, ...limits, ...(operation.inference === true ? called : [])]);
}

/** The headers that come with an error of this status. */
export function errorHeaders(status: number, retryable: boolean): object {
  const limits = status === 429 ? ([headers.rateLimit, headers.rateLimitPolicy] as const) : [];
  const retry = retryable ? ([headers.retryAfter] as const) : [];
  const credentials = status === 401 ? (["WWW-Authenticate"] as const) : [];
  return refs([headers.requestId, ...limits, ...retry, ...credentials]);
}

function refs(names: readonly HeaderName[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const callHeaders = [headers.timeoutMs, headers.requestId, headers.stickyKey, "Cache-Control"] as const;
const cacheHeaders = [
  "Prefer",
  "If-None-Match",
  headers.cacheTtl,
  headers.cacheKey,
  headers.cacheTag,
  headers.cacheSemantic,
] as const;

export function parametersOf(operation: Operation): readonly object[] {
  const { path: template, inference, query = [] } = operation;
  const inPath = [...template.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
  const inHeaders = [...(inference === true ? callHeaders : []), ...(saysCache(operation) ? cacheHeaders : [])];
  const inQuery = query.map((name) => `query-${name}`);
  return [...inPath, ...inQuery, ...inHeaders].map((name) => ({ $ref: `#/components/parameters/${name}` }));
}
