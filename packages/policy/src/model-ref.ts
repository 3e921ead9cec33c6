/** A model as a caller names it: `intent`, `intent@1` or, by an alias, `intent@canary`. */
export interface ModelRef {
  readonly name: string;
  /** A version's number. */
  readonly version?: string;
  /** An alias of the model, or `stable` or `latest`. */
  readonly alias?: string;
}

const pattern = /^([a-z0-9][a-z0-9._-]{0,63})(?:@(?:([0-9]{1,9})|([a-z][a-z0-9-]{0,31})))?$/;

/** `undefined` when the text is no model reference. */
export function parseModelRef(text: string): ModelRef | undefined {
  const [, name, version, alias] = pattern.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { name, ...(version === undefined ? {} : { version }), ...(alias === undefined ? {} : { alias }) };
}

export function modelRefText({ name, version, alias }: ModelRef): string {
  const tail = version ?? alias;
  return tail === undefined ? name : `${name}@${tail}`;
}
