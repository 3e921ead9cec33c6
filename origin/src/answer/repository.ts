import { fail } from "@ledge/contract";
import { orCalledOff } from "../call-off.ts";
import type { OriginContext } from "../request.ts";

/** `POST /v2/repository/models/{model}/load` and `…/unload`: 200 when it is done, as the protocol's model repository extension has it. */
export async function answerRepository(
  context: OriginContext,
  what: "load" | "unload",
): Promise<Response | ReturnType<typeof fail>> {
  const { repository } = context.get("stage");
  if (repository === undefined) return fail("not_found");
  const model = context.req.param("model") ?? "";
  const { facts } = context.get("record");
  facts.model = model;
  const loading = () => orCalledOff(repository.load(model), context.get("deadline").signal);
  const done = what === "load" ? await loading() : repository.unload(model);
  return done.ok ? context.json({}) : done;
}
