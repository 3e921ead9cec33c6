import { answerChat, answerCompletion } from "./answer/chat.ts";
import { answerInfer } from "./answer/infer.ts";
import { answerJournal } from "./answer/journal.ts";
import { answerLoad } from "./answer/load.ts";
import { answerModels } from "./answer/models.ts";
import { answerPredict } from "./answer/predict.ts";
import { answerRepository } from "./answer/repository.ts";
import { answerWake } from "./answer/wake.ts";
import type { OriginCall, Outcome } from "./request.ts";

export type Handler = (call: OriginCall) => Outcome | Promise<Outcome>;

interface Route {
  readonly method: "GET" | "POST";
  /** `:name` stands for one part of a path. */
  readonly path: string;
  readonly handler: Handler;
}

/** What the origin answers to those it knows. */
const routes: readonly Route[] = [
  { method: "GET", path: "/v1/models", handler: answerModels },
  { method: "GET", path: "/v1/load", handler: answerLoad },
  { method: "GET", path: "/v1/usage/journal", handler: answerJournal },
  { method: "POST", path: "/v1/predict", handler: answerPredict },
  { method: "POST", path: "/v1/chat/completions", handler: answerChat },
  { method: "POST", path: "/v1/completions", handler: answerCompletion },
  { method: "POST", path: "/v1/models/:model/wake", handler: answerWake },
  { method: "POST", path: "/v2/models/:model/versions/:version/infer", handler: answerInfer },
  { method: "POST", path: "/v2/repository/models/:model/load", handler: (call) => answerRepository(call, "load") },
  { method: "POST", path: "/v2/repository/models/:model/unload", handler: (call) => answerRepository(call, "unload") },
];

const plain = new Map(routes.filter(({ path }) => !path.includes(":")).map((route) => [route.path, route]));
const patterns = routes
  .filter(({ path }) => path.includes(":"))
  .map((route) => ({ route, pattern: new RegExp(`^${route.path.replaceAll(/:[a-z]+/g, "([^/]+)")}$`) }));

interface Found {
  readonly route: Route;
  /** In the order of their places, decoded. */
  readonly params: readonly string[];
}

/** The route of a path without its query; `undefined` when there is none. */
export function routeOf(path: string): Found | undefined {
  const route = plain.get(path);
  if (route !== undefined) return { route, params: [] };
  for (const { route, pattern } of patterns) {
    const match = pattern.exec(path);
    if (match !== null) return { route, params: match.slice(1).map(decoded) };
  }
  return undefined;
}

/** What is no percent-encoding names itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
