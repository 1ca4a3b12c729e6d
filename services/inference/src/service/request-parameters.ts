import type { InferRequestView, ParameterValue } from '@headrace/proto';
import { requestParameter } from '@headrace/proto';
import type { Result } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';

export interface RequestParameters {
  /** 1 = highest. */
  readonly band: number;
  readonly bypass: boolean;
  /** Microseconds that the request may wait for its run; undefined = no limit. */
  readonly timeoutUs: number | undefined;
  readonly sequence: boolean;
  /** Streams only: marks the reply as the last one of its request. */
  readonly wantsFinalFlag: boolean;
}

/** Priorities 1..4; 0 or none is the band below the middle, so that there is room above and below. */
const bands = 4;
const defaultBand = 3;

/** Triton's reserved request parameters. Others pass: they are part of the lane, so that they are never merged apart. */
export function readParameters(view: InferRequestView): Result<RequestParameters> {
  const { parameters } = view;
  if (parameters.size === 0) return { ok: true, value: none };
  const priority = parameters.get(requestParameter.priority);
  if (priority !== undefined && !isWhole(priority)) return wrong('priority', 'an int64 or uint64 of 0 or more', priority);
  const timeout = parameters.get(requestParameter.timeoutUs);
  if (timeout !== undefined && !isWhole(timeout)) return wrong('timeout', 'an int64 of 0 or more (microseconds)', timeout);
  const sequence = parameters.get(requestParameter.sequenceId);
  if (sequence !== undefined && typeof sequence !== 'string' && !isWhole(sequence))
    return wrong('sequence_id', 'an int64, uint64 or string', sequence);
  for (const name of ['sequence_start', 'sequence_end', finalFlag]) {
    const value = parameters.get(name);
    if (value !== undefined && typeof value !== 'boolean') return wrong(name, 'a bool', value);
  }
  for (const name of parameters.keys()) {
    if (name.startsWith('triton_') && name !== finalFlag) {
      const message = `parameter ${JSON.stringify(name.slice(0, 80))}: names that start with triton_ are reserved; expected ${finalFlag}`;
      return { ok: false, refusal: refuse('INVALID_PARAMETER', message, { field: `parameters.${name.slice(0, 80)}` }) };
    }
  }
  const level = priority === undefined ? 0 : Number(priority);
  return {
    ok: true,
    value: {
      band: level === 0 ? defaultBand : Math.min(level, bands),
      bypass: level === 1,
      timeoutUs: timeout === undefined || timeout === 0n ? undefined : Number(timeout),
      sequence: sequence !== undefined && sequence !== '' && sequence !== 0n,
      wantsFinalFlag: parameters.get(finalFlag) === true,
    },
  };
}

const finalFlag = 'triton_enable_empty_final_response';
const none: RequestParameters = { band: defaultBand, bypass: false, timeoutUs: undefined, sequence: false, wantsFinalFlag: false };

function isWhole(value: ParameterValue): value is bigint {
  return typeof value === 'bigint' && value >= 0n;
}

function wrong(name: string, expected: string, got: ParameterValue): { readonly ok: false; readonly refusal: ReturnType<typeof refuse> } {
  const shown = typeof got === 'bigint' ? got.toString() : JSON.stringify(got).slice(0, 80);
  return {
    ok: false,
    refusal: refuse('INVALID_PARAMETER', `parameter ${name}: expected ${expected}, got ${typeof got} ${shown}`, {
      field: `parameters.${name}`,
    }),
  };
}
