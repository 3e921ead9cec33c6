import type { AuditAnswer, ModelsAnswer, RegisteredModel } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operate } from "../../scripts/local/packages.ts";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, originSecret, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, deskOf, echoInference, manifestOf, registerIntent, sha256 } from "../support/registry.ts";

/** The operator's API for models, against the real gateway, its Durable Object, KV and R2. */

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference }, gateway: { MODEL_BYTES_MAX: "4000000" } });
  key = (await edge.issueKey()).key;
});
afterAll(() => edge.close());

const ask = (model: string, headers = {}) => edge.post("/v1/predict", key, { model, input: "hello" }, headers);
const code = (body: unknown) => (body as { code?: string }).code;
const modelOf = async (name: string) => (await admin(edge, "GET", `/models/${name}`)).body as RegisteredModel;
const put = (digest: string, bytes: string) =>
  operate(deskOf(edge), "PUT", `/admin/v1/blobs/${digest}`, Buffer.from(bytes));

describe("a registry that nobody has touched", () => {
  test("has the packages that travel with the deployment, each audited", async () => {
    const { models } = (await admin(edge, "GET", "/models")).body as ModelsAnswer;
    expect(models.map(({ name, stable }) => `${name}@${stable}`)).toEqual(["intent@1", "tiny-chat@1"]);
    const { rows } = (await admin(edge, "GET", "/audit?log=registry")).body as AuditAnswer;
    expect(rows.map(({ who, kind, model }) => [who, kind, model])).toEqual([
      ["deployment", "register", "intent"],
      ["deployment", "register", "tiny-chat"],
    ]);
  });
});

describe("a file", () => {
  const bytes = "the bytes of a file";

  test("is stored under its SHA-256, again is the same as once, and HEAD says its size", async () => {
    for (let time = 0; time < 2; time++) {
      const answer = await put(sha256(bytes), bytes);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ sha256: sha256(bytes), bytes: bytes.length });
    }
    const head = await operate(deskOf(edge), "HEAD", `/admin/v1/blobs/${sha256(bytes)}`);
    expect(head.status).toBe(200);
    expect(head.headers.get("Content-Length")).toBe(String(bytes.length));
    const get = await operate(deskOf(edge), "GET", `/admin/v1/blobs/${sha256(bytes)}`);
    expect(await get.text()).toBe(bytes);
  });

  test("with another SHA-256 than its path says is refused, and nothing is stored", async () => {
    const wrong = sha256("something else");
    const answer = await put(wrong, bytes);
    expect(answer.status).toBe(422);
    expect((await bodyOf(answer)).code).toBe("digest_mismatch");
    expect((await operate(deskOf(edge), "HEAD", `/admin/v1/blobs/${wrong}`)).status).toBe(404);
  });

  test.each([
    ["larger than the cap", sha256("x".repeat(4_000_001)), "x".repeat(4_000_001), 413, "body_too_large"],
    ["without a byte", sha256(""), "", 400, "invalid_request"],
    ["under a name that is no SHA-256", "..%2f..%2fsecrets", "x", 404, "blob_not_found"],
  ])("%s is refused", async (_what, digest, content, status, expected) => {
    const answer = await put(digest, content);
    expect(answer.status).toBe(status);
    expect((await bodyOf(answer)).code).toBe(expected);
  });

  test("and a package's document can be read with the origin's secret, nothing else can be done with it", async () => {
    const desk = { edge: edge.url, adminKey: originSecret };
    expect((await operate(desk, "GET", `/admin/v1/blobs/${sha256(bytes)}`)).status).toBe(200);
    const { digest } = (await modelOf("intent")).versions[0] ?? { digest: "" };
    const document = await operate(desk, "GET", `/admin/v1/packages/${digest}`);
    expect(sha256(await document.text())).toBe(digest);
    expect((await operate(desk, "PUT", `/admin/v1/blobs/${sha256("y")}`, Buffer.from("y"))).status).toBe(401);
    expect((await operate(desk, "GET", "/admin/v1/models")).status).toBe(401);
  });
});

test.each([
  "POST /models/intent/versions",
  "GET /models",
  "PUT /models/intent/stable",
  "POST /models/intent/rollback",
  "GET /audit",
  "DELETE /models/intent/versions/1",
])("%s is the operator's alone: a caller's key does not open it", async (route) => {
  const [method = "", path = ""] = route.split(" ");
  const answer = await operate(
    { edge: edge.url, adminKey: key },
    method,
    `/admin/v1${path}`,
    method === "GET" ? undefined : "{}",
  );
  expect(answer.status).toBe(401);
});

describe("registering a package", () => {
  test("gives the next version, which answers by its number but not yet the bare name", async () => {
    const first = await registerIntent(edge, "one", "words");
    expect(first).toMatchObject({ model: "words", version: "1", created: true, stable: "1" });
    const second = await registerIntent(edge, "two", "words");
    expect(second).toMatchObject({ version: "2", created: true, stable: "1" });
    expect((await ask("words")).headers.get("Ledge-Model")).toBe("words@1");
    expect((await bodyOf(await ask("words@2"))).output.label).toBe("words@2");
    expect((await ask("words@latest")).headers.get("Ledge-Model")).toBe("words@2");
  });

  test("again gives the same version and no audit row", async () => {
    const before = ((await admin(edge, "GET", "/models")).body as ModelsAnswer).number;
    expect(await registerIntent(edge, "two", "words")).toMatchObject({ version: "2", created: false });
    expect(((await admin(edge, "GET", "/models")).body as ModelsAnswer).number).toBe(before);
  });

  test("whose files are not there, or have another size, names each and registers nothing", async () => {
    await put(sha256("abc"), "abc");
    const manifest = {
      ...manifestOf("lost", "nowhere to be found"),
      files: [{ path: "labels.json", bytes: 4, sha256: sha256("abc") }],
    };
    const { status, body } = await admin(edge, "POST", "/models/lost/versions", { manifest });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "package_incomplete",
      issues: [{ path: "model.onnx" }, { path: "labels.json", message: "has 3 bytes, the manifest says 4" }],
    });
    expect((await admin(edge, "GET", "/models/lost")).status).toBe(404);
  });

  test("that the edge cannot load says why and leaves nothing registered", async () => {
    await put(sha256("abc"), "abc");
    const manifest = manifestOf("broken", "abc");
    const { status, body } = await admin(edge, "POST", "/models/broken/versions", { manifest });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "package_rejected", detail: expect.stringContaining("no such operator") });
    expect((await admin(edge, "GET", "/models/broken")).status).toBe(404);
    expect((await ask("broken")).status).toBe(404);
  });

  test("for the origin alone is not loaded at the edge", async () => {
    await put(sha256("abc"), "abc");
    const manifest = manifestOf("broken-at-the-edge", "abc", { tiers: ["origin"] });
    expect((await admin(edge, "POST", "/models/broken-at-the-edge/versions", { manifest })).status).toBe(201);
  });

  test.each([
    ["no manifest", {}, "manifest"],
    ["another name than the path", { manifest: manifestOf("other", "abc") }, "manifest.name"],
    [
      "a file outside",
      { manifest: { ...manifestOf("bad", "abc"), file: { path: "../x", bytes: 3, sha256: sha256("abc") } } },
      "manifest.file.path",
    ],
    [
      "a file twice",
      { manifest: { ...manifestOf("bad", "abc"), files: [{ path: "model.onnx", bytes: 3, sha256: sha256("abc") }] } },
      "manifest.files",
    ],
    ["no tier", { manifest: { ...manifestOf("bad", "abc"), tiers: [] } }, "manifest.tiers"],
  ])("with %s is refused and says where", async (_what, body, path) => {
    const answer = await admin(edge, "POST", "/models/bad/versions", body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ issues: [{ path }] });
    expect((await admin(edge, "GET", "/models/bad")).status).toBe(404);
  });
});

describe("changing a model", () => {
  test("moves stable, and a rollback goes back to where it was", async () => {
    await admin(edge, "PUT", "/models/words/stable", { version: "2" });
    expect((await ask("words")).headers.get("Ledge-Model")).toBe("words@2");
    const back = await admin(edge, "POST", "/models/words/rollback");
    expect(back.body).toMatchObject({ stable: "1", previousStable: "2" });
    expect((await ask("words")).headers.get("Ledge-Model")).toBe("words@1");
  });

  test("points aliases, which callers may name, and removes them", async () => {
    expect((await admin(edge, "PUT", "/models/words/aliases/next", { version: "2" })).status).toBe(200);
    expect((await ask("words@next")).headers.get("Ledge-Model")).toBe("words@2");
    const refused = await admin(edge, "DELETE", "/models/words/versions/2");
    expect([refused.status, code(refused.body)]).toEqual([409, "version_in_use"]);
    expect((await admin(edge, "DELETE", "/models/words/aliases/next")).status).toBe(200);
    expect((await ask("words@next")).status).toBe(404);
  });

  test("unloads a version, which then is not ready, and loads it again", async () => {
    expect((await admin(edge, "POST", "/models/words/versions/2/unload")).status).toBe(200);
    const refused = await ask("words@2");
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([503, "model_not_ready"]);
    expect((await admin(edge, "POST", "/models/words/versions/2/load")).status).toBe(200);
    expect((await ask("words@2")).status).toBe(200);
  });

  test("sets a version policy in Triton's words, and stable can be called whatever it says", async () => {
    const policy = { latest: { num_versions: 1 } };
    await registerIntent(edge, "three", "words");
    expect((await admin(edge, "PUT", "/models/words/policy", policy)).body).toMatchObject({ policy });
    expect((await ask("words@2")).status).toBe(404);
    expect((await ask("words@3")).status).toBe(200);
    expect((await ask("words")).headers.get("Ledge-Model")).toBe("words@1");
    expect((await admin(edge, "PUT", "/models/words/policy", { all: {} })).status).toBe(200);
  });

  test.each([
    ["PUT /models/words/stable", { version: "9" }, 404, "version_not_found"],
    ["PUT /models/words/stable", { version: "0" }, 400, "invalid_request"],
    ["PUT /models/nobody/stable", { version: "1" }, 404, "model_not_found"],
    ["PUT /models/constructor/stable", { version: "1" }, 404, "model_not_found"],
    ["PUT /models/words/aliases/latest", { version: "1" }, 400, "invalid_request"],
    ["PUT /models/words/policy", { newest: {} }, 400, "invalid_request"],
    ["DELETE /models/words/aliases/none", undefined, 404, "alias_not_found"],
    ["DELETE /models/words/versions/1", undefined, 409, "version_in_use"],
    ["POST /models/tiny-chat/rollback", undefined, 409, "registry_conflict"],
    ["GET /models/words/versions/9", undefined, 404, "version_not_found"],
    ["GET /audit?limit=0", undefined, 400, "invalid_request"],
    ["GET /audit?model=A&after=x", undefined, 400, "invalid_request"],
    ["GET /audit?log=nothing", undefined, 400, "invalid_request"],
    ["GET /audit?after=1", undefined, 400, "invalid_request"],
    ["GET /audit?log=cache&model=words", undefined, 400, "invalid_request"],
  ])("%s with %o is refused and changes nothing", async (route, body, status, expected) => {
    const before = await modelOf("words");
    const [method = "", path = ""] = route.split(" ");
    const answer = await admin(edge, method, path, body);
    expect([answer.status, code(answer.body)]).toEqual([status, expected]);
    expect(await modelOf("words")).toEqual(before);
  });

  test("removes a version, whose number is not used again", async () => {
    expect((await admin(edge, "DELETE", "/models/words/versions/3")).body).toEqual({ removed: "words@3" });
    expect(await registerIntent(edge, "four", "words")).toMatchObject({ version: "4" });
  });

  test("is an audited row each: who, when, from, to", async () => {
    const { rows } = (await admin(edge, "GET", "/audit?model=words&limit=1000")).body as AuditAnswer;
    const moved = rows.filter(({ kind }) => kind === "set-stable");
    expect(moved.map(({ who, from, to }) => [who, from, to])).toEqual([
      ["operator", "1", "2"],
      ["operator", "2", "1"],
    ]);
    expect(rows.every(({ atMs }) => Math.abs(Date.now() - atMs) < 600_000)).toBe(true);
    const numbers = rows.map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    const after = numbers.at(-3) ?? 0;
    const rest = (await admin(edge, "GET", `/audit?model=words&after=${after}`)).body as AuditAnswer;
    expect(rest.rows.map(({ number }) => number)).toEqual(numbers.slice(-2));
  });
});

describe("a snapshot", () => {
  test("is published to KV under its number, and the latest's number under 'current'", async () => {
    const kv = await edge.miniflare.getKVNamespace("SNAPSHOTS", "ledge-gateway");
    // Asked anew each time: what is hot changes the registry as well.
    let { number, models } = (await admin(edge, "GET", "/models")).body as ModelsAnswer;
    await until("the latest is published", async () => {
      ({ number, models } = (await admin(edge, "GET", "/models")).body as ModelsAnswer);
      return String(await kv.get("current")) === String(number);
    });
    const snapshot = JSON.parse(String(await kv.get(`snapshot:${number}`)));
    expect(snapshot.number).toBe(number);
    expect(Object.values(snapshot.models)).toEqual(models);
  });
});

test("a sticky key that is none is a clear 400", async () => {
  const answer = await ask("words", { "Ledge-Sticky-Key": "no spaces" });
  expect([answer.status, (await bodyOf(answer)).code]).toEqual([400, "invalid_header"]);
});

test("the operator's key is never in the log", () => {
  expect(edge.logs.join("\n")).not.toContain(adminKey);
});
