/** Sources of the Workers that ours are measured against. */

/** (a): reads the body and answers a constant, of the size of our cached answer. */
export function constantWorker(answer: string): string {
  return `
const answer = ${JSON.stringify(answer)};
export default {
  async fetch(request) {
    await request.text();
    return new Response(answer, { headers: { "Content-Type": "application/json" } });
  },
};`;
}

/** (c): passes everything on to the origin and its answer back, and looks at nothing. */
export const proxyWorker = `
export default {
  fetch(request, env) {
    return fetch(env.ORIGIN_URL + new URL(request.url).pathname, {
      method: request.method,
      headers: request.headers,
      body: request.body,
    });
  },
};`;

/** Calls the inference Worker's RPC and answers what it says: classification without the gateway. */
export const callerWorker = `
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/report") return Response.json(await env.INFERENCE.report());
    return Response.json(await env.INFERENCE.predict(await request.json()));
  },
};`;
