// The gateway's own way of a chat, past the type checker: it is written for the Workers' types, and tests for Node's.
export { answerChat } from "../../../workers/gateway/src/app-chat.ts";
