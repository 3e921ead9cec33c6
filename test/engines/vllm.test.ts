import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LoadWatch } from "../../origin/src/engines/openai/load-watch.ts";
import { OpenAiEngine } from "../../origin/src/engines/openai/openai-engine.ts";
import { main } from "../../packages/cli/src/main.ts";
import { type EngineServerProcess, startServer } from "../../scripts/engines/server.ts";
import { servers, vllmKey, vllmServed } from "../../scripts/engines/servers.ts";
import { hasPython } from "../../scripts/python-venv.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { chatConformance } from "../origin/chat-conformance.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { until } from "../support/ledge.ts";

/** A real vLLM on the CPU, with the weights of our own `tiny-chat`. Gigabytes to install and a minute to start: `npm run test:engines`. */

const minuteMs = 60_000;
const messages = [{ role: "user" as const, content: "Tell me of the king." }];

describe.skipIf(!(await hasPython()) || process.env.LEDGE_ENGINES !== "all")("vLLM", () => {
  let server: EngineServerProcess;
  let direct: OpenAI;
  const folder = mkdtempSync(join(tmpdir(), "ledge-vllm-"));

  beforeAll(async () => {
    server = await startServer(await servers.vllm());
    direct = new OpenAI({ baseURL: `${server.http}/v1`, apiKey: vllmKey, maxRetries: 0 });
  }, 20 * minuteMs);
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  }, minuteMs);

  chatConformance("vLLM", async () => engine(), { choices: true });

  function engine(): OpenAiEngine {
    const spec = { url: `${server.http}/v1`, key: vllmKey, answerBytesMax: 1_048_576 };
    return new OpenAiEngine({ name: "tiny-chat", version: "1", task: "chat" }, spec, vllmServed);
  }

  test("its metrics say what it runs, what waits and how full its cache is, while it answers and after", async () => {
    const load = () => new LoadWatch(`${server.http}/metrics`, () => performance.now()).load();
    const asked = { model: vllmServed, messages, temperature: 0, max_tokens: 400, stream: true as const };
    const answer = await direct.chat.completions.create({ ...asked, ...{ ignore_eos: true } });
    await until("it says that it works", async () => ((await load())?.running ?? 0) > 0, minuteMs);
    expect(await load()).toMatchObject({ waiting: 0, kvCacheUse: expect.any(Number) });
    answer.controller.abort();
    await until("it says that it rests", async () => (await load())?.running === 0, minuteMs);
  });

  describe("in front of it origin and edge, as docs/origin.md says: npm start, then ledge model attach", () => {
    let ledge: Ledge;
    let edge: OpenAI;

    beforeAll(async () => {
      ledge = await startWith(folder, engines(), vllmKey);
      edge = new OpenAI({ baseURL: `${ledge.edge}/v1`, apiKey: ledge.key, maxRetries: 0 });
      const env = { LEDGE_ADMIN_KEY: ledge.adminKey, LEDGE_URL: ledge.edge };
      expect(await main(["model", "attach", "llama", "--task", "chat"], fakeTerminal({ env }))).toBe(0);
    }, 5 * minuteMs);
    afterAll(() => ledge?.close(), minuteMs);

    function engines(): readonly object[] {
      const models = [{ name: "llama", servedName: vllmServed }];
      return [{ kind: "openai", url: `${server.http}/v1`, keyVariable: "VLLM_KEY", resume: true, models }];
    }

    test("the edge streams what vLLM says when it is asked itself, and what it cost", async () => {
      const asked = { messages, temperature: 0, max_tokens: 40 };
      const own = await direct.chat.completions.create({ ...asked, model: vllmServed });
      const { data, response } = await edge.chat.completions
        .create({ ...asked, model: "llama", stream: true, stream_options: { include_usage: true } })
        .withResponse();
      const said = [];
      for await (const chunk of data) said.push(chunk);
      expect(said.map(({ choices: [first] }) => first?.delta.content ?? "").join("")).toBe(
        own.choices[0]?.message.content,
      );
      expect(said.at(-1)?.usage).toMatchObject({ prompt_tokens: own.usage?.prompt_tokens, completion_tokens: 40 });
      expect([response.headers.get("Ledge-Tier"), response.headers.get("Ledge-Model")]).toEqual(["origin", "llama@1"]);
    });

    test("calls of tools and answers of a set form come through as vLLM makes them", async () => {
      const parameters = { type: "object", properties: { answer: { enum: ["yes", "no"] } } };
      const tools = [{ type: "function" as const, function: { name: "decide", parameters } }];
      const asks = [
        { tools, tool_choice: "required" as const },
        { structured_outputs: { choice: ["the king", "the queen"] } },
      ];
      for (const more of asks) {
        const asked = { messages, temperature: 0, max_tokens: 60, ...more };
        const own = await direct.chat.completions.create({ ...asked, model: vllmServed });
        const through = await edge.chat.completions.create({ ...asked, model: "llama" });
        const [[ownChoice], [choice]] = [own.choices, through.choices];
        expect(choice?.finish_reason).toBe(ownChoice?.finish_reason);
        expect(choice?.message.content).toBe(ownChoice?.message.content);
        const calls = [ownChoice, choice].map((one) => one?.message.tool_calls?.map((call) => ({ ...call, id: "" })));
        expect(calls[1]).toEqual(calls[0]);
        expect(through.usage?.completion_tokens).toBe(own.usage?.completion_tokens);
        if ("tools" in more) expect(calls[1]).toMatchObject([{ function: { name: "decide" } }]);
        else expect(["the king", "the queen"]).toContain(choice?.message.content);
      }
    });

    test("what vLLM refuses is the caller's to mend, with a code of ours", async () => {
      const tooLong = edge.chat.completions.create({ model: "llama", messages, max_tokens: 100_000 });
      await expect(tooLong).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
      const unknown = edge.chat.completions.create({ model: "llama", messages, top_p: 0.5, ...{ top_k: -7 } });
      await expect(unknown).rejects.toMatchObject({ status: 400 });
    });

    test("an answer that broke off is gone on with where it ended", async () => {
      const asked = { model: "llama", messages, temperature: 0, stream: true as const };
      const whole = await said(await edge.chat.completions.create({ ...asked, max_tokens: 40 }));
      const half = whole.slice(0, whole.indexOf(",", whole.length / 2));
      const stream_options = { include_usage: true, ...{ resume: { text: half } } };
      const rest = await said(await edge.chat.completions.create({ ...asked, stream_options }));
      expect((half + rest).startsWith(whole)).toBe(true);
    });

    test("a key that vLLM refuses ends the start with a sentence that says what to correct", async () => {
      await expect(startWith(mkdtempSync(join(folder, "wrong-")), engines(), "wrong")).rejects.toThrow(
        /wants another key \(status 401\): correct VLLM_KEY in ENGINES/,
      );
    });

    test("a vLLM that is killed in the middle of a stream ends it with an error and never as a whole one", async () => {
      const body = { model: "llama", messages, temperature: 0, max_tokens: 480, stream: true, ignore_eos: true };
      const answer = await fetch(`${ledge.edge}/v1/chat/completions`, {
        method: "POST",
        headers: { Authorization: `Bearer ${ledge.key}`, "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      process.kill(-(server.child.pid ?? 0), "SIGKILL");
      const text = await answer.text();
      expect(text).toContain('"error"');
      expect(text).not.toContain("[DONE]");
      const next = edge.chat.completions.create({ model: "llama", messages });
      await expect(next).rejects.toMatchObject({ status: 503 });
    });
  });
});

async function said(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  const texts: string[] = [];
  for await (const { choices } of stream) texts.push(choices[0]?.delta.content ?? "");
  return texts.join("");
}

interface Ledge {
  readonly edge: string;
  readonly key: string;
  readonly adminKey: string;
  close(): Promise<void>;
}

/** `npm start` with engines.json, as docs/origin.md has it. Throws with what it says when it ends before it is ready. */
async function startWith(folder: string, engines: readonly object[], key: string): Promise<Ledge> {
  writeFileSync(join(folder, "engines.json"), JSON.stringify(engines));
  const args = ["--json", "--port", "0", "--origin-port", "0", "--data", join(folder, "state")];
  const env = { ...process.env, ENGINES: join(folder, "engines.json"), VLLM_KEY: key };
  const child = spawn(process.execPath, [join(repoRoot, "scripts", "start.mjs"), ...args], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const ended = once(child, "close");
  while (!stdout.includes("\n")) {
    if (child.exitCode !== null) throw new Error(stderr);
    await Promise.race([once(child.stdout, "data"), ended]);
  }
  const close = async () => {
    child.kill("SIGINT");
    await ended;
  };
  return { ...JSON.parse(stdout), close };
}
