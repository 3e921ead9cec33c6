/** Everything that tells one answer from another. A part left out here is an answer given to the wrong question. */
export interface AnswerIdentity {
  readonly tenant: string;
  readonly task: string;
  readonly model: string;
  readonly version: string;
  /** SHA-256 of the weights, hex. */
  readonly digest: string;
  /** The input and every parameter that changes the answer, as canonical JSON. */
  readonly input: string;
}

/**
 * The text that is hashed into the cache key: every part behind its length, so that no two identities share a text
 * (without lengths, tenant "a" with model "bc" would equal tenant "ab" with model "c").
 */
export function identityText(identity: AnswerIdentity): string {
  const { tenant, task, model, version, digest, input } = identity;
  let text = "ledge-answer-1";
  for (const part of [tenant, task, model, version, digest, input]) text += `|${part.length}:${part}`;
  return text;
}
