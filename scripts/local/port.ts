import { createServer } from "node:net";

/** The port if it is free, a free one for 0. Throws one sentence when it is taken or not allowed. */
export async function freePort(port: number, option: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => reject(new Error(sentence(port, option, error.code))));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(found));
    });
  });
}

function sentence(port: number, option: string, code: string | undefined): string {
  if (code === "EADDRINUSE")
    return `Port ${port} is taken: stop what listens there, or choose another with ${option} N.`;
  return `Port ${port} cannot be used (${code}): choose another with ${option} N.`;
}
