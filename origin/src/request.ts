import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { Sent } from "./accept/body.ts";
import type { Deadline } from "./accept/deadline.ts";
import type { Urgency } from "./engines/engine.ts";
import type { Registry } from "./engines/registry.ts";
import type { Repository } from "./engines/repository.ts";
import type { Journal } from "./observe/journal.ts";
import type { RequestRecord } from "./observe/log.ts";

/** What the pipeline knows of one request, and what its last stage may use. */
export interface OriginEnv {
  /** What Node's server got; absent where the app is asked without a server. */
  Bindings: { readonly incoming?: IncomingMessage };
  Variables: {
    record: RequestRecord;
    deadline: Deadline;
    urgency: Urgency;
    /** SHA-256 that the body must have, hex; absent when the request is not signed. */
    bodySha256: string | undefined;
    stage: {
      readonly registry: Registry;
      readonly bodyBytesMax: number;
      readonly nowMs: () => number;
      readonly newId: () => string;
      /** Absent: none is kept. */
      readonly journal: Journal | undefined;
      /** Absent: nothing is loaded or unloaded while the origin runs. */
      readonly repository: Repository | undefined;
    };
  };
}

export type OriginContext = Context<OriginEnv>;

/**
 * The headers and the body of a request. The body comes from Node's server itself: a web stream of it is dear. Whoever stops reading
 * early leaves the connection as it is, for the refusal to go out on.
 */
export function sentBy({ req, env }: OriginContext): Sent {
  const { headers } = req.raw;
  const body = env?.incoming?.iterator({ destroyOnReturn: false }) ?? req.raw.body;
  return { headers, body };
}
