import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageManifest } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enginesOf } from "../../../scripts/cluster/settings.ts";
import type { RunningOrigin } from "../../../scripts/local/origin.ts";
import { registerPackage } from "../../../scripts/local/packages.ts";
import { hasPython } from "../../../scripts/python-venv.ts";
import { repoRoot } from "../../../scripts/repo.ts";
import { startEdge, startOrigin, type TestEdge, until } from "../../support/ledge.ts";
import { deskOf } from "../../support/registry.ts";
import { TestCluster } from "./cluster.ts";

/** The edge, its origin, and behind it a real cluster of which a process is killed. */

const minutesMs = 60_000;

describe.skipIf(!(await hasPython()) || process.env.LEDGE_ENGINES !== "all")("a process of the model is killed", () => {
  const cluster = new TestCluster();
  let origin: RunningOrigin;
  let edge: TestEdge;
  let key: string;

  beforeAll(async () => {
    await cluster.serve({ tensor_parallel_size: 2 });
    origin = await startOrigin({
      MODELS: "none",
      ENGINES: JSON.stringify(enginesOf(cluster.running.url, "tiny-chat")),
      FAKE_MODELS: JSON.stringify([{ name: "small-chat", tokens: ["small", " but", " well"] }]),
    });
    edge = await startEdge({ originUrl: origin.url, gateway: { FALLBACKS: '{"tiny-chat":["small-chat"]}' } });
    const folder = join(repoRoot, "models", "tiny-chat", "1");
    const manifest = packageManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
    const files = (manifest.files ?? []).filter(({ path }) => path !== manifest.file.path);
    await registerPackage(deskOf(edge), { ...manifest, name: "small-chat", files }, (path) =>
      readFileSync(join(folder, path)),
    );
    key = (await edge.issueKey()).key;
  }, 30 * minutesMs);
  afterAll(async () => {
    await edge?.close();
    await origin?.close();
    await cluster.stop();
  }, minutesMs);

  /** Which model answers, and how. */
  async function ask(more: object = {}): Promise<readonly [number, string | null]> {
    const body = { model: "tiny-chat", messages: [{ role: "user", content: "Who rules?" }], max_tokens: 4, ...more };
    const answer = await edge.post("/v1/chat/completions", key, body);
    await answer.text();
    return [answer.status, answer.headers.get("Ledge-Model")];
  }

  test(
    "callers of the edge get the model's answer, or its fallback's, until the engine has restarted it by itself",
    async () => {
      expect(await ask()).toEqual([200, "tiny-chat@1"]);
      const before = (await cluster.shards()).processes;
      const [, killed] = before;
      process.kill(killed?.pid ?? 0, "SIGKILL");
      const startedMs = performance.now();
      const tally = new Map<string, number>();
      await until(
        "the model answers again",
        async () => {
          const [status, model] = await ask({ stream: tally.size % 2 === 1 });
          const what = `${status} ${model}`;
          tally.set(what, (tally.get(what) ?? 0) + 1);
          return (tally.get("200 small-chat@1") ?? 0) > 0 && model === "tiny-chat@1";
        },
        5 * minutesMs,
      );
      const took = ((performance.now() - startedMs) / 1000).toFixed(1);
      process.stdout.write(`recovered after ${took} s; meanwhile ${JSON.stringify(Object.fromEntries(tally))}\n`);
      expect([...tally.keys()].filter((what) => !what.startsWith("200 "))).toEqual([]);
      const after = (await cluster.shards()).processes;
      expect(after.map(({ pid }) => pid)).not.toContain(killed?.pid);
      expect(after).toHaveLength(before.length);
      for (let again = 0; again < 10; again++) expect(await ask()).toEqual([200, "tiny-chat@1"]);
    },
    6 * minutesMs,
  );

  test(
    "an answer that it was in the middle of ends with an error, and never as a whole one",
    async () => {
      const body = {
        messages: [{ role: "user", content: "Who rules?" }],
        temperature: 2,
        max_tokens: 480,
        stream: true,
      };
      const answer = await edge.post("/v1/chat/completions", key, { model: "tiny-chat@1", ...body });
      const [first] = (await cluster.shards()).processes;
      process.kill(first?.pid ?? 0, "SIGKILL");
      const said = await answer.text();
      expect(said).toContain('"error"');
      expect(said).not.toContain("[DONE]");
    },
    2 * minutesMs,
  );
});
