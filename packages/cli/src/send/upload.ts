import { createReadStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import type { Target } from "../ask/target.ts";
import type { Content } from "../describe/package-content.ts";
import { startProgress } from "../tell/progress.ts";
import { bytesText } from "../tell/table.ts";
import type { Terminal } from "../tell/terminal.ts";
import { callAdmin } from "./admin.ts";

/** Uploads the files that the deployment lacks, each under its SHA-256. Throws Refusal when one is refused. */
export async function uploadContents(target: Target, contents: readonly Content[], terminal: Terminal): Promise<void> {
  for (const content of contents) {
    const path = `/blobs/${content.sha256}`;
    const { status } = await callAdmin(target, { method: "HEAD", path, expects: [404] });
    if (status === 404) await upload(target, path, content, terminal);
    else terminal.say(`${content.path} is there already.`);
  }
}

async function upload(target: Target, path: string, { path: name, bytes, source }: Content, terminal: Terminal) {
  const progress = startProgress(terminal, `Uploading ${name} (${bytesText(bytes)})`);
  let sent = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      progress.update(sent, bytes);
      done(null, chunk);
    },
  });
  const from = typeof source === "string" ? createReadStream(source) : Readable.from([source]);
  from.on("error", (error: Error) => counted.destroy(error));
  try {
    await callAdmin(target, { method: "PUT", path, bytes: { body: from.pipe(counted), count: bytes } });
  } finally {
    progress.end();
    from.destroy();
  }
}
