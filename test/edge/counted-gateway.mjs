import gateway from "../../workers/gateway/src/index.ts";
import { counted, workHere } from "./counted-work.mjs";

/** The gateway, which counts what it and the operator Worker ask of their bindings. */

export * from "../../workers/gateway/src/index.ts";

let seen;

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/test/work") {
      const theirs = await env.OPERATOR.fetch("https://operator/test/work");
      return Response.json({ ...workHere(), ...(await theirs.json()) });
    }
    seen ??= counted(env, "");
    return await gateway.fetch(request, seen, ctx);
  },
};
