import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OpenAiEngine } from "../../../origin/src/engines/openai/openai-engine.ts";
import { rayEnv } from "../../../scripts/cluster/nodes.ts";
import { processes, sessionsAlive } from "../../../scripts/cluster/sessions.ts";
import { hasPython } from "../../../scripts/python-venv.ts";
import { chatConformance } from "../../origin/chat-conformance.ts";
import { until } from "../../support/ledge.ts";
import { lives, python, referenceOf, TestCluster } from "./cluster.ts";

/** A model split over processes of two real Ray nodes, asked without Ledge. Gigabytes to install: `npm run test:cluster`. */

const prompts = [
  "Tell me of the king.",
  "Where is my sword?",
  "O Romeo",
  "What news from the field, good captain?",
  "Speak, ghost: what would you have of me, and why do you walk tonight?",
  "Naïve – or not?",
];
const maxTokens = 120;
const minutesMs = 60_000;

describe.skipIf(!(await hasPython()) || process.env.LEDGE_ENGINES !== "all")(
  "a model that one process doesn't hold",
  () => {
    const cluster = new TestCluster();
    let reference: Awaited<ReturnType<typeof referenceOf>>;

    beforeAll(async () => {
      reference = await referenceOf(prompts, maxTokens);
      await cluster.serve({ tensor_parallel_size: 2, max_ongoing_requests: 4, max_queued_requests: 4 });
    }, 30 * minutesMs);
    afterAll(() => cluster.stop(), minutesMs);

    test("the application's own tests pass", async () => {
      await python(["-m", "unittest", "discover", "-s", "cluster", "-t", "."]);
    });

    splitTests("tensor");

    chatConformance("tiny-chat, split over two processes", async () => {
      const spec = { url: `${cluster.running.url}/v1`, key: undefined, answerBytesMax: 1_048_576 };
      return new OpenAiEngine({ name: "tiny-chat", version: "1", task: "chat" }, spec, "tiny-chat");
    });

    test("the same seed gives the same answer, another one another", async () => {
      const answers = await Promise.all(
        [1, 1, 2].map((seed) => cluster.ask("Tell me of the king.", { seed, temperature: 1 })),
      );
      const [one, again, other] = answers.map(({ text }) => text);
      expect(one).not.toBe("");
      expect(again).toBe(one);
      expect(other).not.toBe(one);
    });

    test.each([{ stream: true }, { stream: false }])("a caller who leaves ends the generation: %j", async (form) => {
      const caller = new AbortController();
      const left = cluster.chat("Tell me of the king.", { ...form, temperature: 2, max_tokens: 480 }, caller.signal);
      const over = left.then((answer) => answer.text()).catch((error: unknown) => error);
      await until("the answer is under way", async () => (await cluster.shards()).answers === 1, minutesMs);
      caller.abort();
      await over;
      await until("nothing is under way", async () => (await cluster.shards()).answers === 0, minutesMs);
    });

    test(
      "replicas follow the calls under way, and more than may wait are refused with a time to come back",
      async () => {
        const callers = new AbortController();
        const refusals: Response[] = [];
        const call = async () => {
          while (!callers.signal.aborted) {
            const more = { temperature: 2, max_tokens: 60 };
            const answer = await cluster.chat("Tell me of the king.", more, callers.signal);
            await answer.text();
            // Who is refused leaves: the others keep one replica full, and its queue.
            if (answer.status === 503) {
              refusals.push(answer);
              return;
            }
          }
        };
        const calls = Array.from({ length: 24 }, () => call().catch(() => undefined));
        const shards = () =>
          processes().filter(
            ({ session, args }) => cluster.running.sessions.includes(session) && args.startsWith("ray::Shard"),
          );
        await until("a second replica has its processes", () => shards().length === 4, 5 * minutesMs);
        callers.abort();
        await Promise.all(calls);
        expect(refusals.length).toBeGreaterThan(0);
        for (const refusal of refusals) expect(Number(refusal.headers.get("Retry-After"))).toBeGreaterThan(0);
      },
      6 * minutesMs,
    );

    test("Ray refuses whoever lacks the cluster's token", async () => {
      const { address, dir } = cluster.running;
      const program = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False)";
      const connect = (env: Readonly<Record<string, string>>) => python(["-c", program, address], {}, env);
      await connect(rayEnv(dir));
      const wrong = { RAY_AUTH_MODE: "token", RAY_AUTH_TOKEN: "ab".repeat(32) };
      await expect(connect(wrong)).rejects.toThrow("InvalidAuthToken");
    });

    test(
      "with no calls no process is left, and the next call wakes the model",
      async () => {
        await cluster.serve({ tensor_parallel_size: 2, idle_s: 3 });
        const { processes: awake } = await cluster.shards();
        await until("the processes are gone", () => !awake.some(({ pid }) => lives(pid)), 3 * minutesMs);
        const startedMs = performance.now();
        const { status } = await cluster.ask("O Romeo", { temperature: 0, max_tokens: 1 });
        expect(status).toBe(200);
        process.stdout.write(`woken from zero: first token after ${seconds(performance.now() - startedMs)} s\n`);
      },
      10 * minutesMs,
    );

    describe("with its layers stacked in place of split", () => {
      beforeAll(() => cluster.serve({ pipeline_parallel_size: 2 }), 5 * minutesMs);
      splitTests("pipeline");
    });

    test(
      "stopping leaves no process of the cluster's",
      async () => {
        const { sessions, dir } = cluster.running;
        const mark = dir.replace(/^.*\//, "");
        expect(sessionsAlive(sessions, mark)).toEqual(sessions);
        expect(await cluster.stop()).toBe(true);
        expect(sessionsAlive(sessions, mark)).toEqual([]);
        expect(await cluster.stop()).toBe(false);
      },
      minutesMs,
    );

    function splitTests(how: string): void {
      test("each process holds its part only, on a node of its own", async () => {
        const { processes } = await cluster.shards();
        const whole = reference.parameter_bytes;
        process.stdout.write(`parameters, bytes: whole ${whole}\n`);
        for (const { rank, parameter_bytes: bytes } of processes)
          process.stdout.write(`${how}, process ${rank}: ${bytes} (${((100 * bytes) / whole).toFixed(1)} %)\n`);
        expect(processes).toHaveLength(2);
        for (const { parameter_bytes: bytes } of processes) expect(bytes).toBeLessThan(0.6 * whole);
        expect(new Set(processes.map(({ node }) => node)).size).toBe(2);
        expect(new Set(processes.map(({ pid }) => pid)).size).toBe(2);
      });

      test("its answers at temperature 0 are those of the model in one process, token for token", async () => {
        const more = { temperature: 0, max_tokens: maxTokens };
        for (const [index, prompt] of prompts.entries())
          expect((await cluster.ask(prompt, more)).tokens).toEqual(reference.answers[index]);
        const beside = await Promise.all(prompts.slice(0, 4).map((prompt) => cluster.ask(prompt, more)));
        expect(beside.map(({ tokens }) => tokens)).toEqual(reference.answers.slice(0, 4));
        process.stdout.write(
          `${how}: ${reference.answers.flat().length} tokens of ${prompts.length} prompts, all equal\n`,
        );
      });
    }
  },
);

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
