import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelsDirDefault } from "../../origin/src/config.ts";
import { FakeEngine } from "../../origin/src/engines/fake/fake-engine.ts";
import { readPackages } from "../../origin/src/engines/model-package.ts";
import { OipEngine } from "../../origin/src/engines/oip/oip-engine.ts";
import { RestTransport } from "../../origin/src/engines/oip/rest-transport.ts";
import { GeneratorThread } from "../../origin/src/engines/onnx/generator-thread.ts";
import { loadGraph } from "../../origin/src/engines/onnx/load-graph.ts";
import { lookAtMachine } from "../../origin/src/engines/onnx/machine.ts";
import { SessionPool } from "../../origin/src/engines/onnx/session-pool.ts";
import { OpenAiEngine } from "../../origin/src/engines/openai/openai-engine.ts";
import { chatConformance } from "./chat-conformance.ts";
import { inferConformance } from "./infer-conformance.ts";
import { secret, startOrigin } from "./origin-process.ts";
import { writeTensorPackages } from "./tensor-packages.ts";

chatConformance("fake", async () => {
  const tokens = ["The", " king", " is", " d", "ead", ";\n", "long", " live", " the", " kin", "g", ". "];
  return new FakeEngine({
    name: "fake",
    version: "1",
    tokens,
    endless: true,
    firstMs: 0,
    tokenMs: 0,
    contextTokens: 512,
  });
});

chatConformance("tiny-chat", async () => {
  const [found] = await readPackages(modelsDirDefault, ["tiny-chat"]);
  if (found === undefined) throw new Error("tiny-chat is not in models/");
  return GeneratorThread.load(found, 1);
});

/** An origin is an OpenAI-compatible server too: the engine that speaks to such servers must lose nothing of the other engine's. */
chatConformance("tiny-chat behind an OpenAI-compatible server", async () => {
  const { origin, url } = await startOrigin({ MODELS: "tiny-chat" });
  const server = { url: `${url}/v1`, key: secret, answerBytesMax: 1_000_000 };
  const engine = new OpenAiEngine({ name: "near", version: "1", task: "chat" }, server, "tiny-chat");
  return Object.assign(engine, { close: async () => void (await origin.stop()) });
});

async function modelsDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "tensor-models-"));
  await writeTensorPackages(dir);
  return dir;
}

inferConformance("ONNX Runtime", async () => {
  const [echo, pair] = await readPackages(await modelsDir(), ["echo", "pair"]);
  if (echo === undefined || pair === undefined) throw new Error("the packages are not there");
  const settings = { threads: 1, provider: "cpu", machine: lookAtMachine, say: () => {} } as const;
  const pool = new SessionPool(settings);
  return { echo: await loadGraph(echo, pool), pair: await loadGraph(pair, pool) };
});

/** An origin speaks the protocol too, as far as the gateway needs it. */
inferConformance("ONNX Runtime behind an Open Inference Protocol server", async () => {
  const env = { MODELS_DIR: await modelsDir(), BODY_BYTES_MAX: "67108864", PREDICT_WAITING_MAX: "100" };
  const { origin, url } = await startOrigin(env);
  const engine = (name: string, close: () => Promise<void>) => {
    const transport = new RestTransport({ url, key: secret, answerBytesMax: 67_108_864 }, true);
    const made = new OipEngine({ name, version: "1", task: "tensor" }, transport, { name, version: "1" });
    return Object.assign(made, { close });
  };
  return { pair: engine("pair", async () => {}), echo: engine("echo", async () => void (await origin.stop())) };
});
