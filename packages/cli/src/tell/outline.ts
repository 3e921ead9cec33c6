/** A JSON value as indented lines, for reports whose members are many and may grow. Lists of records become blocks. */
export function outline(value: unknown, indent = ""): string {
  if (!isNested(value)) return `${indent}${plain(value)}`;
  const entries = Array.isArray(value) ? value.map((one, at) => [`${at + 1}`, one] as const) : Object.entries(value);
  return entries
    .map(([name, one]) =>
      isNested(one) ? `${indent}${name}:\n${outline(one, `${indent}  `)}` : `${indent}${name}: ${plain(one)}`,
    )
    .join("\n");
}

/** Lists of plain values stay on their line. */
function isNested(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) || value.some((one) => typeof one === "object" && one !== null);
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(plain).join(", ");
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  return value === null ? "–" : String(value);
}
