import { describe } from "vitest";
import { OpenAiEngine } from "../../origin/src/engines/openai/openai-engine.ts";
import { startServer } from "../../scripts/engines/server.ts";
import { servers, tinyChatServed } from "../../scripts/engines/servers.ts";
import { hasPython } from "../../scripts/python-venv.ts";
import { chatConformance } from "../origin/chat-conformance.ts";

/** Real OpenAI-compatible servers that run the weights of our own `tiny-chat`. They are gigabytes to install: `npm run test:engines`. */

const python = await hasPython();
const everyServer = process.env.LEDGE_ENGINES === "all";

describe.skipIf(!python || !everyServer)("servers that install late", () => {
  // It counts a stop string as part of the answer, and ignores what it cannot honour.
  const lacks = { stop: true, refusals: true } as const;
  chatConformance(
    "transformers serve",
    async () => {
      const server = await startServer(await servers.transformers());
      const spec = { url: `${server.http}/v1`, key: undefined, answerBytesMax: 1_048_576 };
      const engine = new OpenAiEngine({ name: "tiny-chat", version: "1", task: "chat" }, spec, tinyChatServed);
      return Object.assign(engine, { close: () => server.close() });
    },
    lacks,
  );
});
