import type { Result } from "@ledge/contract";
import type { Reply } from "../../../workers/gateway/src/reply.ts";

/** `app-chat.ts` says what it takes. */
export function answerChat(exchange: object, entered: object): Promise<Result<Reply>>;
