import { METHOD_NAME_ALL } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import { getPath, tryDecode } from "hono/utils/url";

/** What a path holds where its pattern has a name. */
export interface RouteContext {
  /** Decoded; `undefined` where the pattern has no such name. */
  param(name: string): string | undefined;
}

export interface FoundRoute<H> {
  readonly handler: H;
  /** The pattern, not the path: a path can carry what a caller typed. */
  readonly pattern: string;
  readonly path: string;
  readonly context: RouteContext;
}

export type RouteRow<H> = readonly [method: string, pattern: string, handler: H];

const noParams: RouteContext = { param: () => undefined };

/**
 * Finds the first row whose method and pattern a request fits. hono's router alone: its app makes a context for
 * every request, of which nothing here would be read. Paths without a name in them, the hot ones among them, are looked up as they are.
 */
export function routeFinder<H>(rows: readonly RouteRow<H>[]): (request: Request) => FoundRoute<H> | undefined {
  const trie = new TrieRouter<readonly [pattern: string, handler: H]>();
  const plain = new Map<string, FoundRoute<H>>();
  for (const [method, pattern, handler] of rows) {
    trie.add(method === "ALL" ? METHOD_NAME_ALL : method, pattern, [pattern, handler]);
    const key = `${method} ${pattern}`;
    if (!/[:*]/.test(pattern) && !plain.has(key))
      plain.set(key, { handler, pattern, path: pattern, context: noParams });
  }
  return (request) => {
    const path = getPath(request);
    // HEAD is answered as GET is, without a body.
    const method = request.method === "HEAD" ? "GET" : request.method;
    const found = plain.get(`${method} ${path}`);
    if (found !== undefined) return found;
    const [[match] = []] = trie.match(method, path);
    if (match === undefined) return undefined;
    const [[pattern, handler], params] = match;
    return { handler, pattern, path, context: { param: (name) => decoded(Reflect.get(params, name)) } };
  };
}

function decoded(text: unknown): string | undefined {
  return typeof text === "string" ? tryDecode(text, decodeURIComponent) : undefined;
}
