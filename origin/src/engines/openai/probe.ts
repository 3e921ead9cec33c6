import { readText } from "../call-server.ts";
import { StartError } from "../model-package.ts";
import type { OpenAiSpec, RemoteSpec } from "../remote-spec.ts";

const probeMsMax = 3_000;
const listBytesMax = 4_194_304;

/**
 * Looks whether a server answers and lists the models that it is to serve. Returns a sentence for each that is odd; some servers
 * list nothing until it is asked for, so that is no reason not to start. Throws {@link StartError} when the server refuses our key.
 */
export async function probeOpenAi(spec: OpenAiSpec & RemoteSpec): Promise<readonly string[]> {
  const { url, key, keyVariable, models } = spec;
  const headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/models`, { headers, redirect: "manual", signal: AbortSignal.timeout(probeMsMax) });
    const read = await readText(response, listBytesMax);
    text = read.ok ? read.value : "";
  } catch {
    return [`The engine at ${url} does not answer yet: its models answer once it does.`];
  }
  if (response.status === 401 || response.status === 403) {
    const mend =
      keyVariable === undefined ? "name the variable that holds it as 'keyVariable'" : `correct ${keyVariable}`;
    throw new StartError(`The engine at ${url} wants another key (status ${response.status}): ${mend} in ENGINES.`);
  }
  const listed = namesIn(text);
  if (response.status !== 200 || listed === undefined) {
    return [
      `${url}/models is no list of models (status ${response.status}): most servers want /v1 at the end of 'url'.`,
    ];
  }
  return models
    .map(({ name, servedName }) => servedName ?? name)
    .filter((name) => !listed.includes(name))
    .map((name) => `The engine at ${url} does not list '${name}' (it lists ${said(listed)}): correct 'servedName'.`);
}

function namesIn(text: string): readonly string[] | undefined {
  try {
    const { data } = JSON.parse(text);
    return Array.isArray(data) ? data.map((model) => String(model?.id)) : undefined;
  } catch {
    return undefined;
  }
}

function said(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.slice(0, 10).join(", ").slice(0, 500);
}
