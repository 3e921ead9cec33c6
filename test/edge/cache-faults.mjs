import gateway from "../../workers/gateway/src/index.ts";

/** The gateway over a KV that misbehaves as it is told. */

export * from "../../workers/gateway/src/index.ts";

let mode = "works";

/** A namespace whose readings go wrong; `wrong` makes what is read of what lies there. */
function moody(kv, wrong) {
  return {
    async get(key, options) {
      if (mode === "hangs") return await new Promise(() => undefined);
      if (mode === "fails") throw new Error("KV failed");
      const value = await kv.get(key, options);
      return mode in wrong ? await wrong[mode](key, value, kv, options) : value;
    },
    async put(key, value, options) {
      if (mode === "hangs") return await new Promise(() => undefined);
      if (mode === "fails") throw new Error("KV failed");
      seen.push(key);
      await kv.put(key, value, options);
    },
  };
}

/** Keys that were written, the newest last. */
const seen = [];

/** Each key's bytes are the other one's of the last two that were written. */
function foreign(key, _value, kv, options) {
  const [a, b] = seen.slice(-2);
  return kv.get(key === a ? b : a, options);
}

function damaged(_key, value) {
  if (value === null) return null;
  const bytes = new Uint8Array(value.slice(0));
  bytes[30] ^= 4;
  return bytes.buffer;
}

/** What was published when KV was last told to work, and how often that was read since it was stale. */
let old = null;
let staleReads = 0;

const answers = {
  foreign,
  damaged,
  stale: () => null,
};
const snapshots = {
  stale: () => {
    staleReads++;
    return old;
  },
};

let moodyEnv;

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/test/kv") {
      mode = searchParams.get("mode");
      if (mode === "works") old = await env.SNAPSHOTS.get("cache:current", { type: "json" });
      seen.push(...(searchParams.get("written")?.split(",") ?? []));
      return Response.json({ slots: seen.filter((key) => key.startsWith("answer:")), staleReads });
    }
    moodyEnv ??= { ...env, ANSWERS: moody(env.ANSWERS, answers), SNAPSHOTS: moody(env.SNAPSHOTS, snapshots) };
    return await gateway.fetch(request, moodyEnv, ctx);
  },
};
