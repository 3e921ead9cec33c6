import { fail } from "@ledge/contract";
import { orCalledOff } from "../call-off.ts";
import { jsonAnswer, type OriginCall, type Outcome } from "../request.ts";

/** `POST /v2/repository/models/{model}/load` and `…/unload`: 200 when it is done, as the protocol's model repository extension has it. */
export async function answerRepository(
  { stage: { repository }, params: [model = ""], record: { facts }, deadline }: OriginCall,
  what: "load" | "unload",
): Promise<Outcome> {
  if (repository === undefined) return fail("not_found");
  facts.model = model;
  const loading = () => orCalledOff(repository.load(model), deadline.signal);
  const done = what === "load" ? await loading() : repository.unload(model);
  return done.ok ? jsonAnswer({}) : done;
}
