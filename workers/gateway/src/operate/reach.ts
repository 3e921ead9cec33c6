import { fail, ok, type Result } from "@ledge/contract";

/** The work's value, or `registry_unavailable` when the registry or its store cannot be reached. */
export async function reach<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    return fail("registry_unavailable", { cause: String(error) });
  }
}
