import { always, type Operation, type Surface } from "./operation.ts";

/** Readiness, which two surfaces ask for at paths of their own. */
export function readiness(path: string, id: string, surface: Surface): Operation {
  const summary = "Whether the edge can answer; an origin that is down takes only its own models away.";
  const schema = "Ready";
  const answers = { 200: { description: "It can.", schema }, 503: { description: "It cannot.", schema } } as const;
  return { method: "get", path, id, surface, summary, answers, errors: always };
}
