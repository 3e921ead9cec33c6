import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";

/** An identity provider on this machine: a key set over HTTP that counts who asks and can fail. */
export class IdentityProvider {
  readonly server: Server;
  keys: JWK[] = [];
  fetched = 0;
  down = false;

  constructor() {
    this.server = createServer((_request, response) => {
      this.fetched++;
      response.statusCode = this.down ? 500 : 200;
      response.end(JSON.stringify({ keys: this.keys }));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks.json`;
  }

  async addKey(alg: "RS256" | "ES256" | "EdDSA", kid: string): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: "sig" });
    return privateKey;
  }
}
