import { modelsDirDefault } from "../../origin/src/config.ts";
import { FakeEngine } from "../../origin/src/engines/fake/fake-engine.ts";
import { readPackages } from "../../origin/src/engines/model-package.ts";
import { loadGenerator } from "../../origin/src/engines/onnx/generator.ts";
import { chatConformance } from "./chat-conformance.ts";

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
