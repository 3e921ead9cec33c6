/** A model as a caller names it: `intent` or `intent@1`. */
export interface ModelRef {
  readonly name: string;
  /** Absent: the newest deployed version. */
  readonly version?: string;
}

/** `undefined` when the text is no model reference. */
export function parseModelRef(text: string): ModelRef | undefined {
  const found = /^([a-z0-9][a-z0-9._-]{0,63})(?:@([0-9]{1,9}))?$/.exec(text);
  if (found?.[1] === undefined) return undefined;
  return found[2] === undefined ? { name: found[1] } : { name: found[1], version: found[2] };
}

/** Picks the named version, or the numerically newest of the name; `undefined` when there is none. */
export function resolveModel<M extends { readonly name: string; readonly version: string }>(
  models: readonly M[],
  ref: ModelRef,
): M | undefined {
  const named = models.filter((model) => model.name === ref.name);
  if (ref.version !== undefined) return named.find((model) => model.version === ref.version);
  return named.reduce<M | undefined>(
    (newest, model) => (newest === undefined || Number(model.version) > Number(newest.version) ? model : newest),
    undefined,
  );
}
