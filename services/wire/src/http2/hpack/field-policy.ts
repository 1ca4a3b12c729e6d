import { staticNames, staticValues } from './static-table.js';

/**
 * How a field is written when no index names it whole (RFC 7541 6.2):
 * - `index`: it will come again, so it goes into the table;
 * - `plain`: it varies by call; in the table its values would only push out what repeats, and end every cached block;
 * - `never`: a secret; no hop may put it into a table, where guesses could be checked against it (RFC 7541 7.1.3).
 */
export type FieldPolicy = 'index' | 'plain' | 'never';

export interface KnownName {
  readonly policy: FieldPolicy;
  /** 0: not in the static table. */
  readonly staticIndex: number;
  readonly staticValues: ReadonlyMap<string, number> | undefined;
}

const secrets: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'api-key',
  'apikey',
  'x-api-key',
  'x-goog-api-key',
  'x-auth-token',
  'x-access-token',
  'x-csrf-token',
  'x-amz-security-token',
  'x-forwarded-access-token',
  'x-vault-token',
];

const varying: readonly string[] = [
  'grpc-timeout',
  'grpc-message',
  'grpc-retry-pushback-ms',
  'content-length',
  'content-range',
  'date',
  'etag',
  'age',
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-cloud-trace-context',
  'x-request-id',
  'x-request-start',
  'x-correlation-id',
  'x-envoy-expected-rq-timeout-ms',
  'idempotency-key',
];

/** All names of which something is known, in one look-up: the static table's (RFC 7541 Appendix A) and the two lists above. */
export const knownNames: ReadonlyMap<string, KnownName> = collect();

function collect(): ReadonlyMap<string, KnownName> {
  const names = [...new Set([...staticNames.slice(1), ...secrets, ...varying])];
  return new Map(names.map((name) => [name, describe(name)]));
}

function describe(name: string): KnownName {
  const policy: FieldPolicy = secrets.includes(name) ? 'never' : varying.includes(name) ? 'plain' : 'index';
  const indexes = staticNames.flatMap((each, index) => (each === name && index > 0 ? [index] : []));
  // An index for a secret's empty value would drop its never-indexed mark.
  const values = policy === 'never' ? [] : indexes.map((index) => [staticValues[index] ?? '', index] as const);
  return { policy, staticIndex: indexes[0] ?? 0, staticValues: values.length === 0 ? undefined : new Map(values) };
}

/** Binary metadata (base64 of messages, e.g. grpc-status-details-bin, grpc-trace-bin) is seldom the same twice. */
export function policyOf(name: string, known: KnownName | undefined): FieldPolicy {
  if (known !== undefined) return known.policy;
  return name.endsWith('-bin') ? 'plain' : 'index';
}
