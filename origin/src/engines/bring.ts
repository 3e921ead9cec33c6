import { fail, ok, type PackageRef, type Result } from "@ledge/contract";
import type { Config } from "../config.ts";
import { fetchPackage, type PackageSource } from "./fetch-package.ts";
import type { Loader } from "./load-engines.ts";
import { StartError } from "./model-package.ts";
import type { Bring, Registry } from "./registry.ts";

/**
 * Fetches and loads packages when they are first asked for. However many ask at once, one flight brings it; a failed one is
 * tried again by the next call. Undefined when no registry is configured: the origin then has what lies beside it.
 */
export function bringFrom(config: Config, registry: Registry, loader: Loader): Bring | undefined {
  const { registryUrl: url, secret, packagesDir: dir } = config;
  if (url === undefined) return undefined;
  const flights = new Map<string, Promise<Result<true>>>();
  return async (ref) => {
    const known = flights.get(ref.digest);
    if (known !== undefined) return known;
    const flight = bring(ref, { url, secret, dir }, registry, loader);
    flights.set(ref.digest, flight);
    try {
      return await flight;
    } finally {
      flights.delete(ref.digest);
    }
  };
}

async function bring(
  ref: PackageRef,
  source: PackageSource,
  registry: Registry,
  loader: Loader,
): Promise<Result<true>> {
  const fetched = await fetchPackage(ref, source);
  if (!fetched.ok) return fetched;
  try {
    registry.addBrought(ref.digest, await loader.seatOf(fetched.value));
    return ok(true);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return fail("model_not_ready", { cause: error.message });
  }
}
