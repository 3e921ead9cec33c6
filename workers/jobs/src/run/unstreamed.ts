/** A call that asks for a stream, asking for the whole answer: nobody is there to stream to. Others come back as they are. */
export function unstreamed(body: string): string {
  const { stream, stream_options: options, ...call } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  if (stream !== true) return body;
  // An engine refuses options of a stream that there is not; where the answer goes on is one for whole answers too.
  const resume = (options as { readonly resume?: unknown } | undefined)?.resume;
  return JSON.stringify(resume === undefined ? call : { ...call, stream_options: { resume } });
}
