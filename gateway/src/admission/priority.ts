import type { ParameterValue } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import type { PriorityPolicy } from '../domain/gateway-table.js';
import type { TierPolicy } from '../domain/traffic.js';
import { bandOf, priorityFor } from './policy/priority-for.js';

export interface Priority {
  /** 1 = highest. */
  readonly band: number;
  readonly bypass: boolean;
  /** The priority that the request asked for, where its tier allows less; told in a trailer. */
  readonly loweredFrom: number | undefined;
}

/**
 * Band of a request by its `priority` parameter (Triton: int64 or uint64, 1 highest, 0 or absent the default), within
 * what the caller's tier allows. With 4 bands and no tier: 1 -> 1, 3 -> 3, 9 -> 4, absent -> the default band.
 */
export function priorityOf(parameter: ParameterValue | undefined, policy: PriorityPolicy, tier?: TierPolicy): Result<Priority> {
  if (parameter !== undefined && (typeof parameter !== 'bigint' || parameter < 0n)) {
    const came = typeof parameter === 'bigint' ? `${parameter}` : `a ${wireType(parameter)} ${JSON.stringify(parameter)}`;
    return {
      ok: false,
      refusal: refuse('INVALID_PARAMETER', `parameter "priority": expected an int64 or uint64 of 0 or more, got ${came}`, {
        field: 'parameters["priority"]',
      }),
    };
  }
  const asked = toNumber(parameter ?? 0n);
  const { band, loweredFrom } =
    tier === undefined ? { band: bandOf(asked, policy), loweredFrom: undefined } : priorityFor(tier, asked, policy);
  return { ok: true, value: { band, bypass: band <= policy.bypassBand, loweredFrom } };
}

/** Past 2^32 no table can name it, and Number would round. */
function toNumber(priority: bigint): number {
  return priority > 0xffff_ffffn ? 0xffff_ffff : Number(priority);
}

export function wireType(value: ParameterValue): string {
  if (typeof value === 'boolean') return 'bool_param';
  if (typeof value === 'bigint') return 'int64_param';
  return typeof value === 'string' ? 'string_param' : 'double_param';
}
