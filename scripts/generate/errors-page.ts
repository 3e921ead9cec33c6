import { type ErrorEntry, type ErrorOwner, errors } from "@ledge/contract";
import type { GeneratedText } from "./generated.ts";

/** `docs/errors.md`, from the table of errors in the contract. */
export function errorsPage(): GeneratedText {
  return { path: "docs/errors.md", text: pageOf(errors) };
}

const owners: Readonly<Record<ErrorOwner, { readonly means: string; readonly toDo: string }>> = {
  client: {
    means: "the request or its credentials",
    toDo: "Change the request: the detail and the issues of the answer name every fault. A retryable one wants only time.",
  },
  config: {
    means: "how this deployment is set up",
    toDo: "Operator: the log line of the request id names the variable, secret or package to mend. Callers can only wait.",
  },
  capacity: {
    means: "more work than there is room for",
    toDo: "Retry after `Retry-After`, with backoff, or allow more time with `Ledge-Timeout-Ms`. Operator: add engines.",
  },
  upstream: {
    means: "an engine or a service behind Ledge",
    toDo: "Retry after `Retry-After`. Operator: look at the origin; the log line says what it answered.",
  },
  platform: {
    means: "Ledge itself",
    toDo: "Retry once; then report the request id. Operator: the log line of that id holds the cause.",
  },
};

export function pageOf(table: Readonly<Record<string, ErrorEntry>>): string {
  const entries = Object.entries(table);
  const used = Object.keys(owners).filter((owner) => entries.some(([, entry]) => entry.owner === owner));
  return `<!-- Made by 'npm run generate' from packages/contract/src/errors.ts. Do not edit. -->

# Errors

Every failure carries one of these codes. They are stable: branch on the code, never on the sentence. Where the code
stands depends on the surface: \`error.code\` in OpenAI's error object, in front of the sentence in \`{"error": "…"}\` of the
Open Inference Protocol, \`code\` in the problem details (RFC 9457) everywhere else. \`Ledge-Request-Id\` finds the request in
the log.

Retryable means that the same request may succeed later without being changed; \`Retry-After\` says when to try.

| code | status | owner | retryable | sentence |
| --- | --- | --- | --- | --- |
${entries.map(rowOf).join("\n")}

## What to do

| owner | the cause is | what to do |
| --- | --- | --- |
${used.map((owner) => ownerRowOf(owner as ErrorOwner)).join("\n")}
`;
}

function rowOf([code, { status, owner, retryable, message }]: [string, ErrorEntry]): string {
  return `| \`${code}\` | ${status} | ${owner} | ${retryable ? "yes" : "no"} | ${message.replaceAll("|", "\\|")} |`;
}

function ownerRowOf(owner: ErrorOwner): string {
  return `| ${owner} | ${owners[owner].means} | ${owners[owner].toDo} |`;
}
