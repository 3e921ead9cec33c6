import { always, type Operation, operating, reading } from "./operation.ts";
import { operation } from "./operator.ts";

/** The operator's API for callers that are kept out for a while. Described apart: a document is to stay small. */

/** Every route under `/admin` for blocks. */
export const blockOperations: readonly Operation[] = [
  operation({
    method: "get",
    scope: "blocks:read",
    path: "/blocks",
    id: "listBlocks",
    summary: "Who is blocked now, newest first; with `all=true` also whose block has ended.",
    answers: { 200: { description: "The blocks, a thousand at most.", schema: "BlocksAnswer" } },
    errors: [...operating, "invalid_request", "blocks_unavailable"],
  }),
  operation({
    method: "post",
    scope: "blocks:write",
    path: "/blocks/lift",
    id: "liftBlock",
    summary: "End a block, by its subject, its address or its key's id. Every isolate knows within seconds.",
    request: { schema: "LiftRequest", example: { of: "203.0.113.7" } },
    answers: { 200: { description: "Whose block was ended.", schema: "LiftAnswer" } },
    errors: [...reading, ...operating, "block_not_found", "blocks_unavailable"],
  }),
  {
    method: "get",
    path: "/admin/openapi-blocks.json",
    id: "blocksOpenapi",
    surface: "Operator",
    summary: "This description.",
    answers: { 200: { description: "OpenAPI 3.1." } },
    errors: ["operator_unavailable", ...always],
  },
];
