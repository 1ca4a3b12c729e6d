import { jwtVerify } from 'jose';
import type { CryptoKey, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import type { IdentitySource } from '../../domain/traffic.js';
import { identified, rejected } from './verdict.js';
import type { Identified } from './verdict.js';

export type JwtSource = Extract<IdentitySource, { kind: 'jwt' }>;

export interface TokenVerdict {
  readonly result: Identified;
  /** Wall-clock milliseconds at which an accepted token is no longer; 0 for others. */
  readonly untilWallMs: number;
}

/** Clocks of issuers and gateways differ. */
export const skewMs = 30_000;

/** Asymmetric ones alone: never none, and never HS, with which a public key would do as the secret (RFC 8725, 3.1). */
export const algorithms: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Without a key id several keys may fit; more than this are not tried. */
const maxTried = 4;

/** `unknownKid`: the set has no such key, so a newer set may. */
export async function verifyToken(
  token: string,
  source: JwtSource,
  keys: JWTVerifyGetKey,
  wallMs: number,
): Promise<TokenVerdict | 'unknownKid'> {
  const options: JWTVerifyOptions = {
    algorithms: [...algorithms],
    issuer: source.issuer,
    ...(source.audience === undefined ? {} : { audience: source.audience }),
    clockTolerance: skewMs / 1000,
    currentDate: new Date(wallMs),
    requiredClaims: ['exp'],
  };
  try {
    const { payload } = await jwtVerify(token, keys, options);
    return accepted(payload, source);
  } catch (error) {
    if (codeOf(error) !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') return failed(error);
    return tryEach(token, error as AsyncIterable<CryptoKey>, options, source);
  }
}

async function tryEach(
  token: string,
  keys: AsyncIterable<CryptoKey>,
  options: JWTVerifyOptions,
  source: JwtSource,
): Promise<TokenVerdict | 'unknownKid'> {
  let left = maxTried;
  try {
    for await (const key of keys) {
      if (left-- === 0) break;
      try {
        const { payload } = await jwtVerify(token, key, options);
        return accepted(payload, source);
      } catch (error) {
        if (codeOf(error) !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return failed(error);
      }
    }
  } catch (error) {
    return failed(error);
  }
  return no(rejected.badSignature);
}

function accepted(payload: JWTPayload, source: JwtSource): TokenVerdict {
  const tenant = claim(payload, source.claim);
  const tier = source.tierClaim === undefined ? undefined : claim(payload, source.tierClaim);
  if (typeof tenant !== 'string' || (tier !== undefined && typeof tier !== 'string')) return no(rejected.notAccepted);
  const result = identified(tenant, true, tier);
  if (result === undefined) return no(rejected.notAccepted);
  return { result, untilWallMs: (payload.exp ?? 0) * 1000 + skewMs };
}

/** Own properties alone: a policy may name any claim, and every object has a "constructor". */
function claim(payload: JWTPayload, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

function failed(error: unknown): TokenVerdict | 'unknownKid' {
  switch (codeOf(error)) {
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'unknownKid';
    case 'ERR_JWT_EXPIRED':
      return no(rejected.expired);
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return no(rejected.badSignature);
    default:
      return no(rejected.notAccepted);
  }
}

function no(result: Identified): TokenVerdict {
  return { result, untilWallMs: 0 };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
