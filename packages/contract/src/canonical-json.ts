/**
 * RFC 8785 canonical JSON of a parsed value: members sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * prints them. Two bodies that mean the same give the same text. Members that are `undefined` are left out.
 * Recursion is safe because `accept` bounds the depth of a body.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
