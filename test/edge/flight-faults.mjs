import gateway, { Flight as RealFlight } from "../../workers/gateway/src/index.ts";

/** The gateway, with what a test needs to break flights from inside. */

export * from "../../workers/gateway/src/index.ts";

/** Objects that were asked, by name, how often in all, and how those behave that are asked next. */
const names = new Set();
let joins = 0;
let mode = "works";

export class Flight extends RealFlight {
  join(slot, waiter) {
    if (mode === "throws") throw new Error("overloaded");
    if (mode === "hangs") return new Promise(() => {});
    names.add(this.ctx.id.name);
    const told = super.join(slot, waiter);
    joins++;
    return told;
  }

  die() {
    this.ctx.abort("the test says so");
  }
}

/** The objects, for somebody of whom they hear no more after `death`: what it pours breaks off there. */
function cutAt(death, flights) {
  const cut = (events) => {
    const reader = events.getReader();
    const dead = death.then(() => Promise.reject(new Error("the isolate died")));
    dead.catch(() => undefined);
    return new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const { done, value } = await Promise.race([reader.read(), dead]);
        if (!done) return controller.enqueue(value);
        controller.close();
        controller.byobRequest?.respond(0);
      },
    });
  };
  const join = async (name, slot, waiter) => {
    const told = await flights.getByName(name).join(slot, waiter);
    if (told.kind !== "lead") return told;
    const { turn } = told;
    const rest = Object.fromEntries(["land", "fail", "leave", "deserted"].map((to) => [to, (x) => turn[to](x)]));
    return { ...told, turn: { ...rest, pour: (events) => turn.pour(cut(events)) } };
  };
  return { getByName: (name) => ({ join: (slot, waiter) => join(name, slot, waiter) }) };
}

/** What ends a request in whose head its name stands. */
const dooms = new Map();

const levers = {
  "/test/flights": (_env, parameters) => {
    mode = parameters.get("mode");
  },
  "/test/joins": () => joins,
  "/test/abort-flights": async (env) => {
    for (const name of names) {
      const dead = env.FLIGHTS.getByName(name).die();
      await dead.catch(() => undefined);
    }
    names.clear();
  },
  "/test/die": (_env, parameters) => dooms.get(parameters.get("name"))?.(),
};

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    const lever = levers[pathname];
    if (lever !== undefined) return new Response(String(await lever(env, searchParams)));
    const name = request.headers.get("Test-Doomed");
    if (name === null) return await gateway.fetch(request, env, ctx);
    // When its isolate dies, nothing that a request began outlives it: neither its code nor what it had put off.
    const death = new Promise((resolve) => dooms.set(name, resolve));
    const doomed = { waitUntil: () => {}, passThroughOnException: () => {}, exports: ctx.exports };
    const answer = await Promise.race([
      gateway.fetch(request, { ...env, FLIGHTS: cutAt(death, env.FLIGHTS) }, doomed),
      death,
    ]);
    if (answer === undefined) throw new Error("the isolate died");
    return answer;
  },
};
