import type { ExplainResponse__Output, LimitsResponse__Output, ModelUse__Output, TenantUse__Output } from '@headrace/proto';

type Use = TenantUse__Output['requests'];

export interface LimitsMerge {
  /** Those that the policy names are always told of, */
  readonly named: (tenant: string) => boolean;
  /** and so many of the others. */
  readonly mostOthers: number;
}

/** What all workers remember, as if one had seen it all. "Since when" holds for all of them: the latest of their beginnings. */
export function mergeExplanations(parts: readonly ExplainResponse__Output[]): ExplainResponse__Output {
  const withRequests = parts.filter(({ remembered }) => BigInt(remembered) > 0n);
  return {
    requests: parts.flatMap(({ requests }) => requests).toSorted((a, b) => a.arrived_ms_ago - b.arrived_ms_ago),
    remembered: sum(parts.map(({ remembered }) => remembered)),
    oldest_ms_ago: withRequests.length === 0 ? 0 : Math.min(...withRequests.map(({ oldest_ms_ago: ms }) => ms)),
  };
}

/**
 * What a gateway of several workers would say if it were one process. `parts`: the own one first, as policy, tier, weight and limits are
 * taken from the first that knows them; all that is counted is summed. Undefined: there are no parts.
 */
export function mergeLimits(parts: readonly LimitsResponse__Output[], merge: LimitsMerge): LimitsResponse__Output | undefined {
  const [own] = parts;
  if (own === undefined) return undefined;
  const tenants = mergedBy(
    parts.flatMap((part) => part.tenants),
    ({ tenant }) => tenant,
    addTenants,
  );
  const named = tenants.filter(({ tenant }) => merge.named(tenant));
  const others = tenants.filter(({ tenant }) => !merge.named(tenant)).toSorted((a, b) => Number(cameOf(b) - cameOf(a)));
  return {
    shadow: own.shadow,
    // One that goes on alone says more of the whole than those that do not.
    quotas: parts.find(({ quotas }) => quotas === aloneNow)?.quotas ?? own.quotas,
    tenants: [...named, ...others.slice(0, merge.mostOthers)],
    models: mergedBy(
      parts.flatMap(({ models }) => models),
      ({ model }) => model,
      addModels,
    ),
    // A tenant may be known to all or to one: this many are known at least.
    known_tenants: String(Math.max(tenants.length, ...parts.map(({ known_tenants: known }) => Number(known)))),
  };
}

const aloneNow = 'local share';

/** In the order in which they are first seen. */
function mergedBy<T>(all: readonly T[], keyOf: (one: T) => string, add: (a: T, b: T) => T): T[] {
  const byKey = new Map<string, T>();
  for (const one of all) {
    const known = byKey.get(keyOf(one));
    byKey.set(keyOf(one), known === undefined ? one : add(known, one));
  }
  return [...byKey.values()];
}

function addTenants(a: TenantUse__Output, b: TenantUse__Output): TenantUse__Output {
  return {
    ...a,
    requests: addUse(a.requests, b.requests),
    compute_ms: addUse(a.compute_ms, b.compute_ms),
    in_flight: sum([a.in_flight, b.in_flight]),
    admitted: sum([a.admitted, b.admitted]),
    refused: addCounts(a.refused, b.refused),
  };
}

/** The limit is the policy's; what is left is what each could admit by itself, of leases and of its share of the rest. */
function addUse(a: Use, b: Use): Use {
  if (a === null || b === null) return a ?? b;
  return { limit: a.limit, left: a.left + b.left, used: a.used + b.used };
}

function addCounts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): Record<string, string> {
  const all = [...Object.entries(a), ...Object.entries(b)];
  return Object.fromEntries(
    mergedBy(
      all,
      ([reason]) => reason,
      ([reason, count], [, more]) => [reason, sum([count, more])],
    ),
  );
}

/** Each worker has an adaptive limit on what it has under way itself. */
function addModels(a: ModelUse__Output, b: ModelUse__Output): ModelUse__Output {
  return {
    model: a.model,
    under_way: sum([a.under_way, b.under_way]),
    limit: a.limit + b.limit,
    queued_rows: a.queued_rows + b.queued_rows,
  };
}

function cameOf({ admitted, refused }: TenantUse__Output): bigint {
  return [admitted, ...Object.values(refused)].reduce((total, count) => total + BigInt(count), 0n);
}

/** Of 64-bit counts as the codec gives them. */
function sum(counts: readonly string[]): string {
  return String(counts.reduce((total, count) => total + BigInt(count), 0n));
}
