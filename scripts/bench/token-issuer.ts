import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** An identity provider of the bench's own: one ES256 key, served as a key set. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** A token for one user of one tenant, good for an hour. */
  token(tenant: string, user: string): Promise<string>;
  close(): void;
}

const audience = "ledge-bench";

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const kid = "bench";
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" }] });
  const server = createServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end(keySet);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  const issuer = `http://127.0.0.1:${port}`;
  return {
    issuer,
    audience,
    jwksUrl: `${issuer}/jwks.json`,
    token: (tenant, user) =>
      new SignJWT({ tenant })
        .setProtectedHeader({ alg: "ES256", kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(user)
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(privateKey),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
