/** A single event's data may be this long, UTF-16 code units. A server that sends more has lost its mind. */
const eventCharsMax = 4_194_304;

/**
 * The `data` of each server-sent event as it comes (WHATWG HTML, 9.2.6): comments and other fields are passed over, lines may end in
 * LF, CR LF or CR, and characters may be cut anywhere. What the source ends in the middle of still comes: whoever reads it must see
 * that it is not whole. Throws when the source breaks off, or an event has no end.
 */
export async function* readEvents(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  for await (const bytes of source) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(lineEnd);
    rest = lines.pop() ?? "";
    if (rest.length > eventCharsMax || data.length > eventCharsMax) throw new Error("an event has no end");
    for (const line of lines) {
      if (line === "" && data.length > 0) {
        yield data.join("\n");
        data = [];
      } else data.push(...dataIn(line));
    }
  }
  data.push(...dataIn(rest.replace(/\r$/, "")));
  if (data.length > 0) yield data.join("\n");
}

/** A CR at the end may be half of a CR LF: it waits for what follows. */
const lineEnd = /\r\n|\n|\r(?!$)/;

function dataIn(line: string): string[] {
  return line.startsWith("data:") ? [line.slice(line[5] === " " ? 6 : 5)] : [];
}
