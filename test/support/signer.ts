import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";

/** An identity provider's key pair, for tokens that need no server. */
export class Signer {
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
  readonly #alg: string;

  private constructor(alg: string, jwk: JWK, privateKey: CryptoKey) {
    this.#alg = alg;
    this.jwk = jwk;
    this.privateKey = privateKey;
  }

  static async of(alg: string, kid: string): Promise<Signer> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    return new Signer(alg, { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }, privateKey);
  }

  sign(claims: Record<string, unknown>, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
    const { kid } = this.jwk;
    const named = { alg: this.#alg, ...(kid === undefined ? {} : { kid }), ...header };
    return new SignJWT(claims).setProtectedHeader(named).sign(this.privateKey, { crit: { "urn:x": true } });
  }
}
