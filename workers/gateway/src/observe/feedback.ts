import {
  type FeedbackAnswer,
  fail,
  feedbackRequest,
  noRollout,
  ok,
  parse,
  type RegisteredModel,
  type Result,
} from "@ledge/contract";
import { parseModelRef } from "@ledge/policy";
import type { RatingCounter } from "./ports.ts";

/**
 * Counts how good an answer was, once a request of a tenant's: callers choose the ids of requests, and two tenants may choose the
 * same. It counts for the arm of the running rollout that has the version, whoever was
 * dealt to it. Errors: `invalid_request`, `model_not_found`, `counter_unavailable`.
 */
export async function takeFeedback(
  body: unknown,
  tenant: string,
  modelNamed: (name: string) => RegisteredModel | undefined,
  counter: RatingCounter,
): Promise<Result<FeedbackAnswer>> {
  const request = parse(feedbackRequest, body);
  if (!request.ok) return request;
  const { request_id: requestId, model: asked, score } = request.value;
  const ref = parseModelRef(asked);
  const model = ref === undefined ? undefined : modelNamed(ref.name);
  const known = model?.versions.find(({ version }) => version === ref?.version);
  if (model === undefined || known === undefined)
    return fail("model_not_found", { detail: `'${asked}' is not deployed.` });
  const { rollout } = model;
  const dealt = rollout?.arms.some(({ version }) => version === known.version) === true;
  try {
    const rating = {
      requestId: `${tenant} ${requestId}`,
      version: known.version,
      score,
      rollout: dealt ? rollout.id : noRollout,
    };
    return ok({ counted: await counter.rate(model.name, rating) });
  } catch (error) {
    return fail("counter_unavailable", { cause: String(error) });
  }
}
