import { DurableObject, RpcTarget } from "cloudflare:workers";

/** What flights rest on, by itself: a Worker whose requests settle one another's promises, and an object that streams. */

const waiting = new Map();
const seen = [];
const text = new TextEncoder();

class Hold extends RpcTarget {
  #say;

  constructor(say) {
    super();
    this.#say = say;
  }

  async pour(events) {
    try {
      for await (const chunk of events) this.#say(`got ${new TextDecoder().decode(chunk)}`);
      this.#say("ended");
    } catch {
      this.#say("broke off");
    }
  }

  [Symbol.dispose]() {
    this.#say("given up");
  }
}

export class Room extends DurableObject {
  #said = [];

  said() {
    return this.#said;
  }

  hold() {
    return { hold: new Hold((what) => this.#said.push(what)) };
  }

  /** Begins, and never ends. */
  stream() {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => controller.enqueue(text.encode("one")),
    });
  }

  die() {
    this.ctx.abort("the test says so");
  }
}

async function waits(parameters, env) {
  const said = await new Promise((settle) => {
    waiting.set(parameters.get("name"), settle);
    setTimeout(() => settle("its own timer"), Number(parameters.get("ms")));
  });
  // It goes on as the request that waited: this would throw in another's place.
  await fetch(`${env.ORIGIN}/quick`);
  return new Response(said);
}

/** Passes on what the origin streams, and counts it, whether or not its client stays. */
async function leads(parameters, env, ctx) {
  const source = (await fetch(`${env.ORIGIN}/endless`)).body.getReader();
  const { readable, writable } = new IdentityTransformStream();
  const poured = new IdentityTransformStream();
  const { hold } = await env.ROOMS.getByName(parameters.get("name")).hold();
  const writers = [writable.getWriter(), poured.writable.getWriter()];
  const work = async () => {
    const pouring = hold.pour(poured.readable);
    for (let left = 20; left > 0; left--) {
      const { value } = await source.read();
      await Promise.allSettled(writers.map((writer) => writer.write(value)));
    }
    await Promise.allSettled(writers.map((writer) => writer.close()));
    await pouring;
    seen.push(parameters.get("name"));
  };
  const working = work().catch(() => undefined);
  if (parameters.has("waitUntil")) ctx.waitUntil(working);
  return new Response(readable);
}

async function reads(parameters, env) {
  let got = "";
  try {
    for await (const chunk of await env.ROOMS.getByName(parameters.get("name")).stream()) {
      got += new TextDecoder().decode(chunk);
      waiting.set(parameters.get("name"), true);
    }
    return new Response(`${got}, ended`);
  } catch {
    return new Response(`${got}, broke off`);
  }
}

const paths = {
  "/waits": waits,
  "/leads": leads,
  "/reads": reads,
  "/waiting": (parameters) => new Response(String(waiting.has(parameters.get("name")))),
  "/settle": (parameters) => new Response(String(waiting.get(parameters.get("name"))?.("another request"))),
  "/seen": (parameters) => new Response(String(seen.includes(parameters.get("name")))),
  "/said": async (parameters, env) => Response.json(await env.ROOMS.getByName(parameters.get("name")).said()),
  "/die": async (parameters, env) => {
    const dead = env.ROOMS.getByName(parameters.get("name")).die();
    await dead.catch(() => undefined);
    return new Response("dead");
  },
};

export default {
  fetch: (request, env, ctx) => {
    const { pathname, searchParams } = new URL(request.url);
    return paths[pathname](searchParams, env, ctx);
  },
};
