/** Everything that tells one answer from another. A part left out here is an answer given to the wrong question. */
export interface AnswerIdentity {
  readonly tenant: string;
  readonly task: string;
  readonly model: string;
  readonly version: string;
  /** The package's digest, hex. */
  readonly digest: string;
  /** The input and every parameter that changes the answer, as canonical JSON. */
  readonly input: string;
  /** The caller's own partition (`Ledge-Cache-Key`); empty without one. */
  readonly partition: string;
  /** Names and values of the headers that the policy's `vary` names; `null` for one that was not sent. */
  readonly vary: readonly (readonly [name: string, value: string | null])[];
}

/**
 * The text whose keyed hash names an answer: every part behind its length, so that no two identities share a text
 * (without lengths, tenant "a" with model "bc" would equal tenant "ab" with model "c").
 */
export function identityText(identity: AnswerIdentity): string {
  const { tenant, task, model, version, digest, partition, vary, input } = identity;
  let text = "ledge-answer-2";
  for (const part of [tenant, task, model, version, digest, partition]) text += `|${part.length}:${part}`;
  text += `|${vary.length}`;
  for (const [name, value] of vary)
    text += `|${name.length}:${name}${value === null ? "" : `|${value.length}:${value}`}|`;
  return `${text}|${input.length}:${input}`;
}
