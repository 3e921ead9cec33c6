import type { ChatMessage } from "@ledge/contract";

/** A turn as chat templates take it. */
export interface PlainMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** Roles and plain texts: the parts of a content stand on lines of their own, and whoever is neither user nor assistant is the system. */
export function plainMessages(messages: readonly ChatMessage[]): PlainMessage[] {
  return messages.map(({ role, content }) => ({
    role: role === "user" || role === "assistant" ? role : "system",
    content: typeof content === "string" ? content : (content ?? []).map(({ text }) => text).join("\n"),
  }));
}
