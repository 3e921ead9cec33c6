import { answerLayerSuite } from "../../../../test/support/answer-layers.ts";
import { MemoryBytes } from "../../../../test/support/cache-isolate.ts";
import { MemoryAnswers } from "./memory.ts";
import { SealedLayer } from "./sealed.ts";

answerLayerSuite("isolate memory", () => ({ layer: new MemoryAnswers(10_000_000, () => Date.now()) }));

answerLayerSuite("a store of sealed bytes", () => {
  const bytes = new MemoryBytes();
  return {
    layer: new SealedLayer("kv", bytes),
    corrupt: async (slot, change) => {
      bytes.kept.set(slot, change(bytes.kept.get(slot) ?? new Uint8Array()));
    },
  };
});
