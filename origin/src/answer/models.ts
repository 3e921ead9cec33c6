import { type Answer, jsonAnswer, type OriginCall } from "../request.ts";

/** `GET /v1/models`, in OpenAI's shape with the task beside it: each name once, with the version that answers it. */
export function answerModels({ stage }: OriginCall): Answer {
  const data = stage.registry.newest().map(({ engine: { model } }) => ({
    id: model.name,
    object: "model",
    // A model package carries no date, and OpenAI's clients want a number.
    created: 0,
    owned_by: "ledge",
    version: model.version,
    task: model.task,
  }));
  return jsonAnswer({ object: "list", data });
}
