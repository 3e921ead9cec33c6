import { fail, type ModelTally, ok, type Result } from "@ledge/contract";
import type { DeployedModel } from "../exchange.ts";
import type { TallyReader } from "./ports.ts";

export interface CountedModel extends Pick<DeployedModel, "name" | "version"> {
  readonly tally: ModelTally;
}

/** The versions with their models' counts, each model asked once. Errors: `counts_unavailable`. */
export async function countsOf(
  versions: readonly DeployedModel[],
  counter: TallyReader,
): Promise<Result<readonly CountedModel[]>> {
  const names = [...new Set(versions.map(({ name }) => name))];
  try {
    const read = await Promise.all(names.map(async (name) => [name, await counter.read(name)] as const));
    const byName = new Map(read);
    return ok(
      versions.flatMap(({ name, version }) => {
        const tally = byName.get(name);
        return tally === undefined ? [] : [{ name, version, tally }];
      }),
    );
  } catch (error) {
    return fail("counts_unavailable", { cause: String(error) });
  }
}
