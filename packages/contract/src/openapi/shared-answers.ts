type Responses = Record<string, object>;

/** A described operation, as far as its answers go. */
export interface Answering extends Readonly<Record<string, unknown>> {
  readonly operationId: string;
  readonly responses: Responses;
}

/** Has answers that are the same said once: gives them by name, and leaves a reference where they stood. */
export function sharedAnswers(operations: readonly Answering[]): Readonly<Record<string, object>> {
  const every = operations.flatMap(({ operationId, responses }) =>
    Object.entries(responses)
      .filter(([, response]) => !("$ref" in response))
      .map(([status, response]) => ({
        name: `${operationId}${status}`,
        text: JSON.stringify(response),
        responses,
        status,
      })),
  );
  const texts = every.map(({ text }) => text);
  const shared = new Map<string, { readonly name: string; readonly response: object }>();
  for (const { name, text, responses, status } of every) {
    if (texts.indexOf(text) === texts.lastIndexOf(text)) continue;
    const known = shared.get(text) ?? { name, response: JSON.parse(text) };
    shared.set(text, known);
    responses[status] = { $ref: `#/components/responses/${known.name}` };
  }
  return Object.fromEntries([...shared.values()].map(({ name, response }) => [name, response]));
}
