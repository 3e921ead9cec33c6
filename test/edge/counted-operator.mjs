import operator from "../../workers/gateway/src/operator.ts";
import { counted, workHere } from "./counted-work.mjs";

/** The operator Worker, which counts what it asks of its bindings. */

export * from "../../workers/gateway/src/operator.ts";

let seen;

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/test/work") return Response.json(workHere());
    seen ??= counted(env, "operator ");
    return await operator.fetch(request, seen, ctx);
  },
};
