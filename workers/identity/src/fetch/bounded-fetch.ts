/** No answer of an identity provider is near this. */
const bytesMax = 256 * 1024;
const timeoutMs = 3_000;

/** An identity provider, or the way to it, failed. The message is for the log: it names no token. */
export class ProviderFailed extends Error {}

/** JSON from an identity provider: from where it may come, no redirects, in time and of a bounded size. */
export class BoundedFetch {
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #mayFetch: (url: string) => boolean;

  constructor(fetchIt: (url: string, init: RequestInit) => Promise<Response>, mayFetch: (url: string) => boolean) {
    this.#fetch = fetchIt;
    this.#mayFetch = mayFetch;
  }

  /** Throws {@link ProviderFailed} for all but a 200 with a JSON object. */
  async json(url: string, init: RequestInit = {}): Promise<Readonly<Record<string, unknown>>> {
    if (!this.#mayFetch(url)) throw new ProviderFailed(`${hostOf(url)}: not https, or not a public address`);
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await this.#fetch(url, { ...init, signal, redirect: "manual" });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`status ${response.status}`);
      }
      const value: unknown = JSON.parse(await boundedText(response));
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no JSON object");
      return { ...value };
    } catch (error) {
      throw new ProviderFailed(`${hostOf(url)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "no URL";
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // A reader, not `for await`: leaving that early would not cancel the stream everywhere.
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) return text + decoder.decode();
    bytes += value.length;
    if (bytes > bytesMax) {
      await reader?.cancel();
      throw new Error(`more than ${bytesMax} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
