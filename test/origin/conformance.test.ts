import { modelsDirDefault } from "../../origin/src/config.ts";
import { FakeEngine } from "../../origin/src/engines/fake/fake-engine.ts";
import { readPackages } from "../../origin/src/engines/model-package.ts";
import { loadGenerator } from "../../origin/src/engines/onnx/generator.ts";
import { OpenAiEngine } from "../../origin/src/engines/openai/openai-engine.ts";
import { chatConformance } from "./chat-conformance.ts";
import { secret, startOrigin } from "./origin-process.ts";

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
  return loadGenerator(found, 1);
});

/** An origin is an OpenAI-compatible server too: the engine that speaks to such servers must lose nothing of the other engine's. */
chatConformance("tiny-chat behind an OpenAI-compatible server", async () => {
  const { origin, url } = await startOrigin({ MODELS: "tiny-chat" });
  const server = { url: `${url}/v1`, key: secret, answerBytesMax: 1_000_000 };
  const engine = new OpenAiEngine({ name: "near", version: "1", task: "chat" }, server, "tiny-chat");
  return Object.assign(engine, { close: async () => void (await origin.stop()) });
});
