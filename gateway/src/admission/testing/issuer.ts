import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

/** A throw-away issuer of real tokens. */
export interface TestIssuer {
  readonly issuer: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
  /** JWKS with these keys beside its own. */
  jwks(...others: readonly JWK[]): string;
  /** Signed, for an hour from `wallMs`, with claims and header as told. */
  token(claims: JWTPayload, wallMs: number, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

export async function testIssuer(kid: string | undefined = 'k1', issuer = 'https://id.example.com', alg = 'ES256'): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), alg, ...(kid === undefined ? {} : { kid }) };
  return {
    issuer,
    privateKey,
    publicKey,
    jwk,
    jwks: (...others) => JSON.stringify({ keys: [jwk, ...others] }),
    token: (claims, wallMs, header = {}) => {
      const nowS = Math.floor(wallMs / 1000);
      return new SignJWT({ iss: issuer, iat: nowS, exp: nowS + 3600, ...claims })
        .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }), ...header })
        .sign(privateKey);
    },
  };
}
