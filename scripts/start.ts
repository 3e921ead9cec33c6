import { type RunningLedge, startLedge } from "./local/ledge.ts";
import { readOptions, type StartOptions, usage } from "./local/options.ts";

/** `npm start`: everything on this machine, until Ctrl-C. Resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let options: StartOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${sentenceOf(error)} 'npm start -- --help' lists the options.`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const stopped = stopSignal();
  try {
    const starting = startLedge({ ...options, say: (line) => console.error(line) });
    const ledge = await Promise.race([starting, stopped]);
    if (ledge === undefined) {
      await (await starting).close();
      return 130;
    }
    announce(ledge, options.json);
    void ledge.originEnded.then((code) =>
      console.error(`The origin ended with code ${code}; the edge goes on without it.`),
    );
    await stopped;
    await ledge.close();
    return 0;
  } catch (error) {
    console.error(sentenceOf(error));
    return 1;
  }
}

/** Resolves at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        console.error("Stopping …");
        resolve(undefined);
      });
    }
  });
}

function announce({ edge, origin, key, adminKey }: RunningLedge, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ ready: true, edge, origin, key, adminKey }));
    return;
  }
  const auth = `-H 'Authorization: Bearer ${key}'`;
  const post = `${auth} -H 'Content-Type: application/json'`;
  console.log(`
Ledge is up.   edge ${edge}   origin ${origin}
API key        ${key}

Classify a sentence at the edge (twice: the second answer comes from the cache):
  curl -i ${edge}/v1/predict ${post} -d '{"model":"intent","input":"transfer fifty dollars from checking to savings"}'

Stream a chat completion from the origin:
  curl -N ${edge}/v1/chat/completions ${post} -d '{"model":"tiny-chat","stream":true,"messages":[{"role":"user","content":"What news, good sir?"}]}'

Ask what is deployed:
  curl ${edge}/v2/models/intent ${auth}

Ctrl-C stops everything.`);
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
