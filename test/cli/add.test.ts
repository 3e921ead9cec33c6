import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { type FakeAdmin, startFakeAdmin } from "../support/fake-admin.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { linearGraph } from "../support/onnx-models.ts";

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));
const operatorKey = "an-operator's-key-for-tests";
const graph = linearGraph(4, 2);
const path = join(root, "scores.onnx");
writeFileSync(path, graph);

let admin: FakeAdmin;
beforeAll(async () => {
  admin = await startFakeAdmin();
});
beforeEach(() => {
  admin.calls.length = 0;
  admin.answers.clear();
});
afterAll(() => admin.close());

async function ledge(args: readonly string[], answers?: readonly string[]) {
  const env = { LEDGE_ADMIN_KEY: operatorKey, LEDGE_URL: admin.url };
  const terminal = fakeTerminal({ cwd: root, env, ...(answers === undefined ? {} : { answers }) });
  const code = await main(args, terminal);
  return { ...terminal, code, last: terminal.said.at(-1) };
}

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

describe("ledge model add", () => {
  test("uploads the bytes under their SHA-256, registers the manifest that names them, and says how to go on", async () => {
    const { code, printed, said } = await ledge(["model", "add", "scores.onnx", "--task", "tensor", "--yes"]);
    expect(code).toBe(0);
    expect(admin.blobs.get(sha256(graph))).toEqual(Buffer.from(graph));
    expect(admin.registered.get("scores")).toMatchObject([
      {
        name: "scores",
        task: "tensor",
        file: { path: "scores.onnx", sha256: sha256(graph) },
        tiers: ["edge", "origin"],
      },
    ]);
    expect(printed).toEqual(["scores@1 is registered."]);
    expect(said.join("\n")).toMatch(/Uploading scores\.onnx[\s\S]*/);
    for (const { authorization } of admin.calls) expect(authorization).toBe(`Bearer ${operatorKey}`);
  });

  test("sends no bytes twice, and tells how to move callers over to the next version", async () => {
    const { printed } = await ledge(["model", "add", "scores.onnx", "--task", "tensor", "--yes", "--licence", "MIT"]);
    expect(admin.calls.map(({ call }) => call.split(" ")[0])).toEqual(["HEAD", "POST"]);
    expect(printed.join("\n")).toContain("scores@2 is registered.");
    expect(printed.join("\n")).toContain("ledge rollout start scores@2");
  });

  test("asks where somebody is there for what the graph does not say, shows progress bars, and does nothing on a no", async () => {
    const { code, asked, rewritten, last } = await ledge(["model", "add", "scores.onnx"], ["", "tensor", "no"]);
    expect(asked).toEqual([
      "Name [scores]",
      expect.stringMatching(/^What does it do\? .*tensor \[tensor\]$/),
      `Register it as scores at ${admin.url}? [y/N]`,
    ]);
    expect(rewritten.join("\n")).toMatch(/Measuring in native ONNX Runtime \[█+░*\] \d+ %/);
    expect(rewritten.join("\n")).toMatch(/Measuring the WASM build in workerd \[█+░*\] 66 %/);
    expect([code, last, admin.calls]).toEqual([1, "Nothing was changed.", []]);
  });

  test("sends nothing with --dry-run, and needs no key for it", async () => {
    const terminal = fakeTerminal({ cwd: root });
    expect(await main(["model", "add", "scores.onnx", "--task", "tensor", "--yes", "--dry-run"], terminal)).toBe(0);
    expect(terminal.said.at(-1)).toBe("Nothing was sent.");
    expect(admin.calls).toEqual([]);
  });

  test("leaves nothing registered of a broken or hostile file: nothing is even sent", async () => {
    const broken = {
      "cut.onnx": graph.subarray(0, graph.length - 9),
      "text.onnx": new TextEncoder().encode("no model"),
      "operator.onnx": linearGraph(4, 2, { nodes: [{ op: "Nope", inputs: ["x"], outputs: ["y"] }] }),
      "missing.onnx": linearGraph(4, 2, {
        initialisers: [{ name: "w", type: "FP32", shape: [4, 2], external: { location: "gone.bin" } }],
      }),
      "traversal.onnx": linearGraph(4, 2, {
        initialisers: [{ name: "w", type: "FP32", shape: [4, 2], external: { location: "../scores.onnx" } }],
      }),
      "gigabyte.onnx": linearGraph(4, 2, { initialisers: [{ name: "w", type: "FP32", shape: [2 ** 14, 2 ** 14] }] }),
    };
    mkdirSync(join(root, "broken"));
    for (const [name, bytes] of Object.entries(broken)) {
      writeFileSync(join(root, "broken", name), bytes);
      const { code, last, printed } = await ledge(["model", "add", `broken/${name}`, "--task", "tensor", "--yes"]);
      expect([name, code, printed]).toEqual([name, 1, []]);
      expect(last?.split("\n")).toHaveLength(1);
      expect(last).toMatch(/\.$/);
    }
    expect(admin.calls).toEqual([]);
  });

  test("says what the server says when it refuses, with its code", async () => {
    const detail = "The edge cannot load it: out of memory";
    admin.answers.set("POST /models/scores/versions", [422, { title: "Refused.", detail, code: "package_rejected" }]);
    const { code, last } = await ledge(["model", "add", "scores.onnx", "--task", "tensor", "--yes"]);
    expect([code, last]).toEqual([1, `${detail} (package_rejected)`]);
  });

  test("takes a text classifier's tokenizer and labels by flag and makes the steps of them", async () => {
    const shipped = JSON.parse(readFileSync(new URL("../../models/intent/1/model.json", import.meta.url), "utf8"));
    writeFileSync(join(root, "before.json"), JSON.stringify(shipped.preprocess));
    const labels = Array.from({ length: 151 }, (_, at) => `label ${at}`).join(",");
    const intent = new URL("../../models/intent/1/model.onnx", import.meta.url).pathname;
    const flags = [
      "--name",
      "mine",
      "--task",
      "text-classification",
      "--preprocess",
      "before.json",
      "--labels",
      labels,
    ];
    const { code, last } = await ledge(["model", "add", intent, ...flags, "--yes", "--json"]);
    expect([code, last]).toEqual([0, expect.any(String)]);
    const [manifest] = admin.registered.get("mine") ?? [];
    expect(manifest).toMatchObject({
      preprocess: { kind: "feature-hashing" },
      postprocess: { kind: "softmax-labels", labels: "labels.json" },
      files: [{ path: "labels.json" }],
    });
    const [{ sha256: digest }] = (manifest as { files: [{ sha256: string }] }).files;
    expect(JSON.parse(admin.blobs.get(digest)?.toString() ?? "")).toHaveLength(151);
  });
});

describe("a deployment", () => {
  test("where nothing listens is said with what to type", async () => {
    const { code, last } = await ledge(["model", "list", "--url", "http://127.0.0.1:1"]);
    expect([code, last]).toEqual([
      1,
      "Nothing answers at http://127.0.0.1:1: start it with 'npm start', or name another with --url.",
    ]);
  });

  test("that does not take the key is said so, and the key is nowhere in what is printed", async () => {
    admin.answers.set("GET /models", [
      401,
      { title: "The API key or token is not valid.", code: "invalid_credentials" },
    ]);
    const { code, said, printed } = await ledge(["model", "list"]);
    expect([code, said[0]]).toEqual([1, expect.stringContaining("set LEDGE_ADMIN_KEY")]);
    expect([...said, ...printed].join("\n")).not.toContain(operatorKey);
  });

  test("is shown what each command changes, and nothing at all with --dry-run", async () => {
    admin.answers.set("GET /models/m", [200, {}]);
    admin.answers.set("GET /models/m/versions/2", [200, {}]);
    admin.answers.set("GET /models/m/rollout", [200, {}]);
    const changes: readonly (readonly [string, string, unknown?])[] = [
      ["model load m@2", "POST /models/m/versions/2/load"],
      ["model unload m@2", "POST /models/m/versions/2/unload"],
      ["model remove m@2 --yes", "DELETE /models/m/versions/2"],
      ["model alias m@2 blue", "PUT /models/m/aliases/blue", { version: "2" }],
      ["model alias m blue --remove", "DELETE /models/m/aliases/blue"],
      ["model policy m latest 2", "PUT /models/m/policy", { latest: { num_versions: 2 } }],
      ["model policy m all", "PUT /models/m/policy", { all: {} }],
      ["model policy m specific 1 3", "PUT /models/m/policy", { specific: { versions: [1, 3] } }],
      ["model promote m@2", "PUT /models/m/stable", { version: "2" }],
      ["model rollback m", "POST /models/m/rollback"],
      ["rollout start m@2", "POST /models/m/rollout", { kind: "canary", version: "2" }],
      ["rollout promote m", "POST /models/m/rollout/promote"],
      ["rollout rollback m", "POST /models/m/rollout/rollback"],
      ["rollout stop m", "POST /models/m/rollout/stop"],
    ];
    for (const [line, call, json] of changes) {
      admin.answers.set(call, [200, { done: true }]);
      const dry = await ledge([...line.split(" "), "--dry-run"]);
      expect([line, dry.code, dry.printed]).toEqual([line, 0, [expect.stringMatching(/^This would /)]]);
      expect(admin.calls.every((made) => made.call.startsWith("GET "))).toBe(true);
      admin.calls.length = 0;
      expect([line, (await ledge(line.split(" "))).code]).toEqual([line, 0]);
      expect(admin.calls).toMatchObject([{ call, ...(json === undefined ? {} : { json }) }]);
      admin.calls.length = 0;
    }
  });

  test("gets a rollout as it was asked for, by any of its three kinds", async () => {
    admin.answers.set("POST /models/m/rollout", [201, {}]);
    const lines = {
      "m@2 --steps 5,50,100 --calls-min 500 --step-seconds 60 --tolerance error=0.01,slow=0.1 --slow-ms 40": {
        kind: "canary",
        version: "2",
        steps: [5, 50, 100],
        calls_min: 500,
        step_seconds_min: 60,
        tolerance: { error: 0.01, slow: 0.1 },
        slow_ms: 40,
      },
      "m@2 --shadow --percent 10": { kind: "shadow", version: "2", percent: 10 },
      "m --experiment 1=50,2=50": { kind: "experiment", weights: { "1": 50, "2": 50 } },
    };
    for (const [line, json] of Object.entries(lines)) {
      expect((await ledge(["rollout", "start", ...line.split(" ")])).code).toBe(0);
      expect(admin.calls.at(-1)?.json).toEqual(json);
    }
    const before = admin.calls.length;
    for (const line of ["m@2 --steps x", "m@2 --shadow --percent 200", "m --experiment 1=a", "m"]) {
      expect((await ledge(["rollout", "start", ...line.split(" ")])).code).toBe(2);
    }
    expect(admin.calls).toHaveLength(before);
  });

  test("that would remove a version for good asks first, and needs --yes where nobody is there", async () => {
    expect(await ledge(["model", "remove", "m@2"])).toMatchObject({ code: 2 });
    expect(await ledge(["model", "remove", "m@2"], ["n"])).toMatchObject({ code: 1, last: "Nothing was changed." });
    expect(admin.calls).toEqual([]);
  });

  test("issues a key, which is printed alone so that it can be piped, and revokes it", async () => {
    const key = { id: "0123", key: "the-key", tenant: "acme", name: "web", requests_per_minute: 60 };
    admin.answers.set("POST /keys", [201, key]);
    admin.answers.set("DELETE /keys/0123", [200, { id: "0123" }]);
    const made = await ledge(["key", "create", "acme", "--name", "web", "--requests-per-minute", "60"]);
    expect([made.code, made.printed]).toEqual([0, ["the-key"]]);
    expect(admin.calls[0]?.json).toEqual({ tenant: "acme", name: "web", requests_per_minute: 60 });
    expect((await ledge(["key", "revoke", "0123"])).printed).toEqual(["The key 0123 is revoked."]);
  });
});
