import type { Origin } from "../config.ts";

/** A request to an origin, by its binding where it has one. */
export function reach({ url, binding }: Origin, path: string, init: RequestInit): Promise<Response> {
  return binding === undefined ? fetch(url + path, init) : binding.fetch(url + path, init);
}
