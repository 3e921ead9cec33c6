import { type Action, action, modelPattern, type Scope } from "@ledge/contract";

/**
 * The scopes in a token's claim: a text with spaces between (RFC 8693 §4.2) or a list. `<prefix><action>` stands for every
 * model, `<prefix><action>:<model pattern>` for those. What is not of this form is for somebody else and gives nothing.
 */
export function scopesOfClaim(claim: unknown, prefix: string): readonly Scope[] {
  const words = typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [];
  return words.flatMap((word: unknown) => {
    const read = typeof word === "string" && word.startsWith(prefix) ? scopeOf(word.slice(prefix.length)) : undefined;
    return read === undefined ? [] : [read];
  });
}

function scopeOf(text: string): Scope | undefined {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const model = colon < 0 ? "*" : text.slice(colon + 1);
  if (!isAction(name) || !modelPattern.safeParse(model).success) return undefined;
  return { actions: [name], models: [model] };
}

function isAction(name: string): name is Action {
  return action.safeParse(name).success;
}
