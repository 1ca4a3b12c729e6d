import { requestParameter } from '@headrace/proto';
import type { InferRequestView } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import { wireType } from './priority.js';

export interface Sequence {
  /** "i:42" or "s:abc": an int64 and a string never name the same sequence. */
  readonly id: string;
  readonly start: boolean;
  readonly end: boolean;
}

/** The largest string id; longer ones would let a client fill the affinity map with megabytes. */
const maxIdLength = 256;

/** Triton's sequence parameters: `sequence_id` int64 or string, 0 and "" for none; `sequence_start`, `sequence_end` bool. */
export function sequenceOf(view: InferRequestView): Result<Sequence | undefined> {
  const id = view.parameters.get(requestParameter.sequenceId);
  if (id === undefined || id === 0n || id === '') return { ok: true, value: undefined };
  if (typeof id !== 'bigint' && typeof id !== 'string') {
    return invalid(requestParameter.sequenceId, `expected an int64, uint64 or string, got a ${wireType(id)} ${JSON.stringify(id)}`);
  }
  if (typeof id === 'string' && id.length > maxIdLength) {
    return invalid(requestParameter.sequenceId, `expected at most ${maxIdLength} characters, got ${id.length}`);
  }
  const flags: boolean[] = [];
  for (const name of ['sequence_start', 'sequence_end']) {
    const value = view.parameters.get(name) ?? false;
    if (typeof value !== 'boolean') return invalid(name, `expected a bool, got a ${wireType(value)}`);
    flags.push(value);
  }
  return { ok: true, value: { id: `${typeof id === 'bigint' ? 'i' : 's'}:${id}`, start: flags[0] === true, end: flags[1] === true } };
}

function invalid(name: string, problem: string): Result<undefined> {
  return {
    ok: false,
    refusal: refuse('INVALID_PARAMETER', `parameter ${JSON.stringify(name)}: ${problem}`, { field: `parameters["${name}"]` }),
  };
}
