import { usageDimensions } from "../tenancy/usage-report.ts";

/** What the queries of reports may hold. */
export const queryComponents = {
  "query-by": query("by", `Names of ${usageDimensions.join(", ")}, split by commas: a line for each.`),
  "query-per": query("per", "A line for each of them.", { enum: ["hour", "day"] }),
  "query-from": query("from", "RFC 3339; the default is 30 days before `to`."),
  "query-to": query("to", "RFC 3339; the default is now."),
  "query-format": query("format", "Default `json`.", { enum: ["json", "csv"] }),
  ...Object.fromEntries(
    usageDimensions.map((name) => [`query-${name}`, query(name, "Only calls of which this is so.")] as const),
  ),
  "query-tenant": query("tenant", "Only of this tenant."),
  "query-after": query("after", "The `next` of the page before."),
  "query-limit": query("limit", "At most so many; the default is 100.", { type: "integer", minimum: 1, maximum: 1000 }),
} as const;
export type QueryName = "by" | "per" | "from" | "to" | "format" | "after" | "limit" | (typeof usageDimensions)[number];

/** What a report on usage takes. */
export const reportQuery: readonly QueryName[] = ["by", "per", "from", "to", "format", ...usageDimensions];

function query(name: string, description: string, schema: object = { type: "string" }) {
  return { name, in: "query", description, schema };
}
