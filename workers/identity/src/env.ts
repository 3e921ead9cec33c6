import { fail, type Issuer, issuers, ok, parse, type Result } from "@ledge/contract";
import { isPublicHost } from "@ledge/policy";
import * as z from "zod/mini";

export interface Config {
  readonly issuers: readonly Issuer[];
  /** For introspection, by the issuer's name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly privateIssuers: boolean;
}

function json<T extends z.ZodMiniType>(schema: T) {
  const read = z.transform((text: string, payload) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      payload.issues.push({ code: "custom", message: "is not JSON", input: "" });
      return z.NEVER;
    }
  });
  return z.pipe(z.string(), z.pipe(read, schema));
}

const variables = z.object({
  ISSUERS: json(issuers),
  /** A secret; absent where no issuer introspects. */
  ISSUER_SECRETS: z._default(json(z.record(z.string(), z.string().check(z.minLength(1)))), {}),
  PRIVATE_ISSUERS: z.enum(["allow", "refuse"]),
});

/** Reads the Worker's variables; the fault names every wrong one at once, and never a value. */
export function readConfig(env: object): Result<Config> {
  const read = parse(variables, env);
  if (!read.ok) return read;
  const { ISSUERS: all, ISSUER_SECRETS: secrets, PRIVATE_ISSUERS } = read.value;
  const privateIssuers = PRIVATE_ISSUERS === "allow";
  const issues = all.flatMap((one) => [
    ...(privateIssuers ? [] : addressIssues(one)),
    ...(one.introspection !== undefined && !Object.hasOwn(secrets, one.name)
      ? [{ path: "ISSUER_SECRETS", message: `a client secret for '${one.name}' is needed` }]
      : []),
  ]);
  return issues.length > 0 ? fail("invalid_request", { issues }) : ok({ issuers: all, secrets, privateIssuers });
}

/** An issuer is asked over TLS, at a public address. */
function addressIssues({ name, issuer, jwks_url, discovery_url, introspection }: Issuer) {
  const discovered = jwks_url === undefined ? [discovery_url ?? issuer] : [];
  const urls = [jwks_url, ...discovered, introspection?.url].filter((url) => url !== undefined);
  return urls
    .filter((url) => !mayFetch(url))
    .map(() => ({
      path: "ISSUERS",
      message: `'${name}' names an address that is not https, or not the public internet's`,
    }));
}

export function mayFetch(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    url.protocol === "https:" &&
    url.username === "" &&
    url.password === "" &&
    isPublicHost(url.hostname)
  );
}
