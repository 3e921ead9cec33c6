import { fail, ok, parse, type Result } from "@ledge/contract";
import * as z from "zod/mini";

/** A binding to a service that is reached by no address, as Workers VPC and service bindings give one. */
export interface Fetches {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** One origin of a pool. */
export interface Origin {
  readonly name: string;
  /** Without a trailing slash. */
  readonly url: string;
  /** By which it is reached in the place of the internet: a Workers VPC service's, or any other with a `fetch`. */
  readonly binding?: Fetches | undefined;
  readonly weight: number;
}

/** Origins that are equally far. */
export interface Pool {
  readonly name: string;
  readonly continents?: readonly string[] | undefined;
  readonly origins: readonly Origin[];
}

export interface Config {
  readonly pools: readonly Pool[];
  readonly secret: string;
  readonly originCallsMax: number;
  readonly modelCallsMax: number;
  /** Calls that wait for models to wake. */
  readonly heldCallsMax: number;
  /** How long one waits where another model may answer in the place of its own, milliseconds. */
  readonly fallbackHoldMs: number;
}

const name = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "1 to 32 of a-z, 0-9 and - are needed"));
const bindingName = z.string().check(z.regex(/^[A-Z][A-Z0-9_]{0,63}$/, "the name of a binding: A-Z, 0-9 and _"));
const url = z.url({ protocol: /^https?$/ });
const pools = z.array(
  z.strictObject({
    region: name,
    continents: z.optional(z.array(z.enum(["AF", "AN", "AS", "EU", "NA", "OC", "SA"]))),
    origins: z
      .array(
        z.strictObject({
          name,
          url,
          binding: z.optional(bindingName),
          weight: z._default(z.number().check(z.gte(0), z.lte(1_000)), 1),
        }),
      )
      .check(z.minLength(1)),
  }),
);

const poolsText = z.pipe(
  z.string(),
  z.pipe(
    z.transform((text: string, payload) => {
      try {
        return JSON.parse(text || "[]") as unknown;
      } catch {
        payload.issues.push({ code: "custom", message: "is not JSON", input: "" });
        return z.NEVER;
      }
    }),
    pools,
  ),
);

const calls = z.pipe(
  z.string().check(z.regex(/^[1-9][0-9]{0,5}$/, "a whole number from 1 is needed")),
  z.transform(Number),
);

const variables = z.object({
  ORIGIN_URL: z.union([z.literal(""), url]),
  ORIGINS: poolsText,
  ORIGIN_SECRET: z.string().check(z.minLength(16)),
  ORIGIN_CALLS_MAX: calls,
  MODEL_CALLS_MAX: calls,
  HELD_CALLS_MAX: calls,
  FALLBACK_HOLD_MS: calls,
});

/** Reads the Worker's variables; the fault names every wrong one at once, and never a value. */
export function readConfig(env: object): Result<Config> {
  const read = parse(variables, env);
  if (!read.ok) return read;
  const { ORIGIN_URL: one, ORIGINS: many, ORIGIN_SECRET: secret } = read.value;
  const named = many.map(({ region, continents, origins }): Pool => {
    return {
      name: region,
      continents,
      origins: origins.map((one) => ({ ...one, binding: fetcherIn(env, one.binding) })),
    };
  });
  const single = one === "" ? [] : [{ name: "default", origins: [{ name: "origin", url: one, weight: 1 }] }];
  const chosen = named.length > 0 ? named : single;
  const unbound = many.flatMap(({ origins }) => origins.filter((one) => one.binding && !fetcherIn(env, one.binding)));
  const issues = [
    ...slipsOf(chosen),
    ...unbound.map(({ binding }) => ({ path: "ORIGINS", message: `no binding is called '${binding}'` })),
  ];
  if (issues.length > 0) return fail("invalid_request", { issues });
  return ok({
    pools: chosen.map((pool) => ({
      ...pool,
      origins: pool.origins.map((origin) => ({ ...origin, url: origin.url.replace(/\/+$/, "") })),
    })),
    secret,
    originCallsMax: read.value.ORIGIN_CALLS_MAX,
    modelCallsMax: read.value.MODEL_CALLS_MAX,
    heldCallsMax: read.value.HELD_CALLS_MAX,
    fallbackHoldMs: read.value.FALLBACK_HOLD_MS,
  });
}

function fetcherIn(env: object, name: string | undefined): Fetches | undefined {
  const bound: unknown = name === undefined ? undefined : Reflect.get(env, name);
  return typeof bound === "object" && bound !== null && "fetch" in bound ? (bound as Fetches) : undefined;
}

function slipsOf(all: readonly Pool[]) {
  if (all.length === 0) return [{ path: "ORIGIN_URL", message: "an origin is needed, here or in ORIGINS" }];
  const names = all.flatMap(({ origins }) => origins.map((origin) => origin.name));
  const twice = names.filter((one, at) => names.indexOf(one) !== at);
  return twice.map((one) => ({ path: "ORIGINS", message: `two origins are called '${one}'` }));
}
