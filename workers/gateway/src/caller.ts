import type { KeyHolder } from "@ledge/contract";

/**
 * Who asks for its tenant: said by the gateway, which admitted it, to the paths of the operator Worker that only the
 * gateway's own handlers reach. It is set anew, whatever came.
 */
export const callerHeader = "Ledge-Caller";

/** The header's value: JSON, percent-encoded. `subject` as in a `Principal`. */
export type Caller = KeyHolder & { readonly subject: string };
