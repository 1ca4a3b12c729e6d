import type { ParameterValue } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import type { PriorityPolicy } from '../domain/gateway-table.js';

export interface Priority {
  /** 1 = highest. */
  readonly band: number;
  readonly bypass: boolean;
}

/**
 * Band of a request by its `priority` parameter (Triton: int64 or uint64, 1 highest, 0 or absent the model's default).
 * With 4 bands: 1 -> 1, 3 -> 3, 9 -> 4, absent -> the default band.
 */
export function priorityOf(parameter: ParameterValue | undefined, policy: PriorityPolicy): Result<Priority> {
  if (parameter !== undefined && (typeof parameter !== 'bigint' || parameter < 0n)) {
    const came = typeof parameter === 'bigint' ? `${parameter}` : `a ${wireType(parameter)} ${JSON.stringify(parameter)}`;
    return {
      ok: false,
      refusal: refuse('INVALID_PARAMETER', `parameter "priority": expected an int64 or uint64 of 0 or more, got ${came}`, {
        field: 'parameters["priority"]',
      }),
    };
  }
  const band = bandOf(parameter ?? 0n, policy);
  return { ok: true, value: { band, bypass: band <= policy.bypassBand } };
}

function bandOf(priority: bigint, policy: PriorityPolicy): number {
  if (priority === 0n) return policy.defaultBand;
  // Past 2^32 no table can name it, and Number would round.
  const asNumber = priority > 0xffff_ffffn ? 0xffff_ffff : Number(priority);
  return policy.map.get(asNumber) ?? Math.min(asNumber, policy.bands);
}

export function wireType(value: ParameterValue): string {
  if (typeof value === 'boolean') return 'bool_param';
  if (typeof value === 'bigint') return 'int64_param';
  return typeof value === 'string' ? 'string_param' : 'double_param';
}
