import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { linearGraph } from "../support/onnx-models.ts";

/** The command line against the real Workers. */

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));
const intent = join(repoRoot, "models", "intent", "1");
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge();
  ({ key } = await edge.issueKey());
});
afterAll(() => edge.close());

async function ledge(line: string) {
  const terminal = fakeTerminal({ cwd: root, env: { LEDGE_ADMIN_KEY: adminKey, LEDGE_URL: edge.url } });
  const code = await main(line.split(" "), terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n") };
}

async function done(line: string): Promise<string> {
  const { code, said, printed } = await ledge(line);
  expect([line, code, code === 0 ? "" : said]).toEqual([line, 0, ""]);
  return printed;
}

/** Which version answers, and with what status. */
async function answered(model: string): Promise<readonly [status: number, version: string | null]> {
  const answer = await edge.post("/v1/predict", key, { model, input: "what is my balance" });
  await answer.arrayBuffer();
  return [answer.status, answer.headers.get("Ledge-Model")];
}

describe("ledge against the real Workers", () => {
  test("adds a package as the next version, which answers by its number and not yet by the bare name", async () => {
    expect(await done(`model add ${intent} --licence other --yes`)).toContain("intent@2 is registered.");
    expect(await answered("intent@2")).toEqual([200, "intent@2"]);
    expect(await answered("intent")).toEqual([200, "intent@1"]);
    expect(await done("model list")).toMatch(/^intent +text-classification +1 +1, 2 /m);
    expect(await done("model show intent@2")).toContain('"heapBytes"');
  });

  test("adds the very same package again as the version it is already", async () => {
    expect(await done(`model add ${intent} --licence other --yes`)).toContain("intent@2 was registered already.");
  });

  test("promotes, rolls back, names, unloads, loads and removes, and the audit tells it all", async () => {
    await done("model promote intent@2");
    await until("version 2 answers", async () => (await answered("intent"))[1] === "intent@2");
    await done("model rollback intent");
    await until("version 1 answers again", async () => (await answered("intent"))[1] === "intent@1");
    await done("model alias intent@2 next");
    await until("the alias answers", async () => (await answered("intent@next"))[1] === "intent@2");
    const { code, said } = await ledge("model unload intent@2");
    expect([code, said]).toEqual([1, expect.stringMatching(/next/)]);
    await done("model alias intent next --remove");
    await done("model unload intent@2");
    await until("the version is refused", async () => (await answered("intent@2"))[0] === 503);
    await done("model load intent@2");
    await until("the version answers again", async () => (await answered("intent@2"))[0] === 200);
    await done("model policy intent specific 1 2");
    expect(await done("model show intent")).toContain("callable are versions 1, 2");
    await done("model remove intent@2 --yes");
    await until("the version is gone", async () => (await answered("intent@2"))[0] === 404);
    const kinds = JSON.parse(await done("audit --model intent --json")).rows.map(({ kind }: { kind: string }) => kind);
    expect(new Set(kinds)).toEqual(
      new Set(["register", "set-stable", "set-alias", "set-state", "set-policy", "remove"]),
    );
  });

  test("starts, tells of, promotes and rolls back rollouts of every kind", async () => {
    expect(await done(`model add ${intent} --licence third --yes`)).toContain("intent@3 is registered.");
    expect(await done("rollout start intent@3 --dry-run")).toMatch(/^This would start a canary of intent@3/);
    expect(await done("rollout start intent@3 --steps 50,100 --calls-min 1000")).toContain("has started");
    expect(await done("rollout status intent")).toMatch(
      /^intent: canary \(1: 50 %, 3: 50 %\)[\s\S]*^3 +50 % +0[\s\S]*^next: wait/m,
    );
    expect(await done("model list")).toMatch(/canary \(1: 50 %, 3: 50 %\)/);
    const again = await ledge("rollout start intent@3");
    expect([again.code, again.said]).toEqual([1, expect.stringMatching(/is running\. \(rollout_running\)$/)]);
    await done("rollout rollback intent");
    await done("rollout start intent@3 --shadow --percent 10");
    await done("rollout stop intent");
    await done("rollout start intent --experiment 1=30,3=70");
    expect(JSON.parse(await done("rollout status intent --json")).rollout.kind).toBe("experiment");
    await done("rollout stop intent");
    await done("rollout start intent@3");
    await done("rollout promote intent");
    await until("version 3 answers", async () => (await answered("intent"))[1] === "intent@3");
    expect((await ledge("rollout status intent")).code).toBe(1);
  });

  test("adds any graph as raw tensors, and leaves nothing registered of a broken one", async () => {
    writeFileSync(join(root, "scores.onnx"), linearGraph(4, 2));
    expect(await done("model add scores.onnx --task tensor --yes")).toBe("scores@1 is registered.");
    const before = await done("model list --json");
    writeFileSync(join(root, "cut.onnx"), linearGraph(4, 2).subarray(0, 90));
    writeFileSync(
      join(root, "none.onnx"),
      linearGraph(4, 2, { nodes: [{ op: "Nope", inputs: ["x"], outputs: ["y"] }] }),
    );
    for (const file of ["cut.onnx", "none.onnx"])
      expect((await ledge(`model add ${file} --task tensor --yes`)).code).toBe(1);
    expect(await done("model list --json")).toBe(before);
  });

  test("gives a key that opens the door, and takes it back", async () => {
    const create = async () => JSON.parse(await done("key create acme --name cli --json"));
    const { key: kept } = await create();
    expect((await edge.get("/v1/models", kept)).status).toBe(200);
    // Isolates remember a key that was used for some seconds; one that was not is refused at once.
    const { id, key: revoked } = await create();
    await done(`key revoke ${id}`);
    expect((await edge.get("/v1/models", revoked)).status).toBe(401);
  });

  test("says what to type when the key is not the operator's", async () => {
    const other = fakeTerminal({ cwd: root, env: { LEDGE_ADMIN_KEY: "another", LEDGE_URL: edge.url } });
    expect(await main(["model", "list"], other)).toBe(1);
    expect(other.said.join("\n")).toContain("set LEDGE_ADMIN_KEY");
  });
});
