/** How one tenant tries another's things, by every way into a deployment. */

/** What one tenant has, or what nobody has, by the names that routes give their parts. */
export interface Things {
  readonly tenant: string;
  /** A key's id. */
  readonly id: string;
  readonly project: string;
  readonly user: string;
  /** Of the operator's credentials. */
  readonly name: string;
  readonly model: string;
  readonly version: string;
  readonly alias: string;
  readonly sha256: string;
  readonly digest: string;
  readonly plan: string;
  readonly tier: string;
  /** A prompt that was answered and kept. */
  readonly prompt: string;
  /** The cache's name of that answer. */
  readonly entry: string;
  readonly job: string;
  /** The id of an exchange that was rated. */
  readonly exchange: string;
}

export interface Try {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route answers to a caller who names what is another's, and just so to one who names what is nobody's. */
export interface Row {
  /** 404 or 403; 2xx and 504 where the answer is what there is without them: an empty report, nothing kept, nothing done. */
  readonly status: number;
  readonly tries: (things: Things) => readonly Try[];
  /** Asked by a key whose scopes leave the model out, instead of by one that may do everything in its tenant. */
  readonly scoped?: true;
}

const chat = ({ prompt, model }: Things) => ({ model, messages: [{ role: "user", content: prompt }], temperature: 0 });
const onlyIfCached = { "Cache-Control": "only-if-cached" };

/** Models are the deployment's: what a tenant has of its own there is what it was answered. */
const kept = (body: (things: Things) => object): Row => ({
  status: 504,
  tries: (things) => [{ body: body({ ...things, model: "tiny-chat" }), headers: onlyIfCached }],
});

/** A model that the caller's scopes leave out. */
const leftOut = (body: (things: Things) => object): Row => ({
  status: 403,
  scoped: true,
  tries: (things) => [{ body: body(things) }],
});

const tensors = () => ({ inputs: [{ name: "text", shape: [1], datatype: "BYTES", data: ["hello"] }] });
const text = () => ({ text_input: "hello" });
const nothing = () => [{}];

/** What tenants' credentials open. A row for each: a new route fails the test until it has one. */
export const rows: Readonly<Record<string, Row>> = {
  "GET /v1/keys/{id}": { status: 404, tries: nothing },
  "DELETE /v1/keys/{id}": { status: 404, tries: nothing },
  "POST /v1/keys/{id}/rotate": { status: 404, tries: () => [{ body: {} }] },
  "GET /v1/keys": {
    status: 200,
    tries: ({ project, user, id }) => [{ query: { project } }, { query: { user } }, { query: { after: id, user } }],
  },
  "POST /v1/keys": {
    status: 404,
    tries: ({ project, user }) => [{ body: { name: "mine", project } }, { body: { name: "mine", user } }],
  },
  "GET /v1/jobs": { status: 200, tries: ({ job }) => [{ query: { after: job } }] },
  "GET /v1/jobs/{job}": { status: 404, tries: nothing },
  "DELETE /v1/jobs/{job}": { status: 404, tries: nothing },
  "GET /v1/usage": {
    status: 200,
    tries: ({ id, user }) => [{ query: { key: id, by: "key" } }, { query: { user, by: "user" } }],
  },
  "POST /v1/feedback": {
    status: 202,
    tries: ({ exchange }) => [{ body: { request_id: exchange, model: "intent@1", score: 1 } }],
  },
  "POST /v1/cache/feedback": { status: 202, tries: ({ entry }) => [{ body: { id: entry } }] },
  "POST /v1/chat/completions": kept(chat),
  "POST /v1/predict": leftOut(({ model }) => ({ model, input: "hello" })),
  "POST /v1/embeddings": leftOut(({ model }) => ({ model, input: "hello" })),
  "POST /v2/models/{model}/infer": leftOut(tensors),
  "POST /v2/models/{model}/generate": leftOut(text),
  "POST /v2/models/{model}/generate_stream": leftOut(text),
  "POST /v2/models/{model}/versions/{version}/infer": leftOut(tensors),
  "POST /v2/models/{model}/versions/{version}/generate": leftOut(text),
  "POST /v2/models/{model}/versions/{version}/generate_stream": leftOut(text),
};

/** What holds nothing of a tenant's: the deployment's models, which every caller may see, descriptions, and whether it lives. */
export const open: ReadonlySet<string> = new Set([
  ...["/healthz", "/readyz", "/openapi.json", "/v2", "/v2/health/live", "/v2/health/ready"].map(
    (path) => `GET ${path}`,
  ),
  ...[
    "GET /v1/models",
    "GET /v1/models/{model}",
    "GET /v2/models",
    "GET /v2/models/stats",
    "POST /v2/repository/index",
  ],
  ...["/v2/models/{model}", "/v2/models/{model}/versions/{version}"].flatMap((path) =>
    ["", "/ready", "/config", "/stats"].map((what) => `GET ${path}${what}`),
  ),
]);

const descriptions = /^GET \/(?:admin\/)?openapi/;

/** Whether an operation takes a credential of the operator's. */
export function isOperators(operation: string): boolean {
  if (descriptions.test(operation)) return false;
  return / \/admin\/| \/metrics$| \/v2\/repository\/models\/\{model\}\/(?:un)?load$/.test(operation);
}

export function isOpen(operation: string): boolean {
  return open.has(operation) || descriptions.test(operation);
}

/** The path with the things' names in it. Throws for a part that things have no name for. */
export function pathOf(operation: string, things: Things, query: Readonly<Record<string, string>> = {}): string {
  const [, pattern = ""] = operation.split(" ");
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, part: string) => {
    const value = new Map(Object.entries(things)).get(part);
    if (value === undefined) throw new Error(`nothing is named '${part}' in ${operation}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams(query).toString();
  return search === "" ? path : `${path}?${search}`;
}
