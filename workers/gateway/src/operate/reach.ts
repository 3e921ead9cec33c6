import { type ErrorCode, fail, ok, type Result } from "@ledge/contract";

/** The work's value, or `code` (default `registry_unavailable`) when what it asks cannot be reached. */
export async function reach<T>(work: () => Promise<T>, code: ErrorCode = "registry_unavailable"): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    return fail(code, { cause: String(error) });
  }
}
