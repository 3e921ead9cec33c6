import type { CallOff } from "../../call-off.ts";
import type { OipSpec } from "../remote-spec.ts";
import type { OipTransport } from "./oip-engine.ts";

const probeMsMax = 3_000;

/** Looks whether a server answers and has the models that it is to serve. Returns a sentence for each that is odd. */
export async function probeOip({ url, models }: OipSpec, transport: OipTransport): Promise<readonly string[]> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort("deadline" satisfies CallOff), probeMsMax);
  try {
    return await oddities(url, models, transport, late.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function oddities(
  url: string,
  models: OipSpec["models"],
  transport: OipTransport,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const { name, servedName, servedVersion } of models) {
    const served = { name: servedName ?? name, version: servedVersion };
    const ready = await transport.ready(served, signal);
    if (!ready.ok) return [`The engine at ${url} does not answer yet: its models answer once it does.`];
    if (!ready.value) {
      sentences.push(
        `The engine at ${url} is not ready with '${served.name}': load it there, or correct 'servedName' or 'servedVersion'.`,
      );
    }
  }
  return sentences;
}
