import { expect, test } from "vitest";
import { Flow, FlowEnd, flowBytesMax } from "./flight-flow.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = async (stream: ReadableStream<Uint8Array> | undefined) => await new Response(stream).text();

test("every reader gets a stream from its first byte, at its own speed, before and after it has ended", async () => {
  const flow = new Flow();
  const early = textOf(flow.read());
  flow.append(bytes("one"));
  const slow = flow.read()?.getReader();
  flow.append(bytes(" two"));
  flow.end();
  expect(await early).toBe("one two");
  expect(await textOf(flow.read())).toBe("one two");
  expect(new TextDecoder().decode((await slow?.read())?.value)).toBe("one");
});

test("a flow remembers no more than its bound: who comes later goes on its own, who is too slow is cut off", async () => {
  const flow = new Flow();
  const slow = flow.read()?.getReader();
  const fast = flow.read()?.getReader();
  const chunk = new Uint8Array(flowBytesMax / 4);
  for (let at = 0; at < 5; at++) {
    flow.append(chunk);
    expect((await fast?.read())?.value?.length).toBe(chunk.length);
  }
  expect(flow.read()).toBeUndefined();
  flow.end();
  let got = 0;
  for (let read = await slow?.read(); read?.done === false; read = await slow?.read()) got += read.value.length;
  expect(got).toBeLessThanOrEqual(flowBytesMax);
  expect((await fast?.read())?.done).toBe(true);
});

test("a reader that leaves holds nobody up", async () => {
  const flow = new Flow();
  const leaving = flow.read();
  const staying = textOf(flow.read());
  await leaving?.cancel();
  flow.append(bytes("one"));
  flow.end();
  expect(await staying).toBe("one");
});

test("a stream has come to its end when its last event is [DONE], however it is cut", () => {
  const said = bytes('data: "one"\n\ndata: [DONE]\n\n');
  for (let size = 1; size <= said.length; size++) {
    const end = new FlowEnd();
    for (let at = 0; at < said.length; at += size) end.see(said.slice(at, at + size));
    expect(end.reached).toBe(true);
    end.see(bytes("data: more\n\n"));
    expect(end.reached).toBe(false);
  }
  expect(new FlowEnd().reached).toBe(false);
});
