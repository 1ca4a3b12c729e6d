import type { InferRequestView, ParameterValue } from '@headrace/proto';
import { describe, expect, it } from 'vitest';
import type { ModelPolicy, PriorityPolicy } from '../domain/gateway-table.js';
import { ByteBudget } from './byte-budget.js';
import { classify } from './classify.js';
import { priorityOf } from './priority.js';
import { tierOf } from './testing/tiers.js';

const priority: PriorityPolicy = { bands: 4, defaultBand: 3, bypassBand: 1, bypassMaxShare: 0.2, map: new Map([[7, 2]]) };
const policy: ModelPolicy = {
  backends: undefined,
  timeoutMs: 30_000,
  idempotent: true,
  batching: { maxBatchRows: undefined, maxQueuedRows: 1, maxLanes: 1, agingMs: 1 },
  priority,
  slo: undefined,
  fallback: undefined,
  referenceMs: undefined,
};
const view = (parameters: Record<string, ParameterValue>): InferRequestView => ({
  bytes: Buffer.alloc(0),
  modelName: 'm',
  modelVersion: '',
  id: '',
  parameters: new Map(Object.entries(parameters)),
  inputs: [],
  outputs: [],
  rawInputCount: 0,
});

describe('priorityOf', () => {
  const cases: readonly [string, ParameterValue | undefined, number, boolean][] = [
    ['absent is the default band', undefined, 3, false],
    ['0 is the default band', 0n, 3, false],
    ['1 is the highest and bypasses', 1n, 1, true],
    ['2 is the second', 2n, 2, false],
    ['more than the bands is the last', 900n, 4, false],
    ['what no table can name is the last', 2n ** 63n, 4, false],
    ['the table may map', 7n, 2, false],
  ];
  it.each(cases)('%s', (_name, parameter, band, bypass) => {
    expect(priorityOf(parameter, priority)).toEqual({ ok: true, value: { band, bypass, loweredFrom: undefined } });
  });
});

describe('classify', () => {
  const deadlines: readonly [string, number, Record<string, ParameterValue>, number, number][] = [
    ["the model's timeout alone", Infinity, {}, 31_000, 31_000],
    ['a sooner call deadline', 3000, {}, 3000, 3000],
    ['the timeout parameter limits the start alone', 3000, { timeout: 500_000n }, 1500, 3000],
    ['a timeout of 0 is none', 3000, { timeout: 0n }, 3000, 3000],
    ['a timeout past the deadline', 3000, { timeout: 60_000_000n }, 3000, 3000],
  ];
  it.each(deadlines)('deadlines: %s', (_name, callDeadlineMs, parameters, startByMs, answerByMs) => {
    expect(classify(view(parameters), policy, 1000, callDeadlineMs)).toMatchObject({ ok: true, value: { startByMs, answerByMs } });
  });

  it("bounds the answer by the tier's deadline, and lowers what its tier does not allow", () => {
    expect(classify(view({ priority: 1n }), policy, 1000, Infinity, tierOf({ deadlineMs: 50, maxPriority: 3 }))).toMatchObject({
      ok: true,
      value: { answerByMs: 1050, startByMs: 1050, band: 3, bypass: false, loweredFrom: 1 },
    });
    expect(classify(view({}), policy, 1000, Infinity, tierOf({ deadlineMs: Infinity }))).toMatchObject({
      ok: true,
      value: { answerByMs: 31_000 },
    });
  });

  const sequences: readonly [string, Record<string, ParameterValue>, unknown][] = [
    ['none', {}, undefined],
    ['0 is none', { sequence_id: 0n }, undefined],
    ['"" is none', { sequence_id: '' }, undefined],
    ['a number', { sequence_id: 5n, sequence_start: true }, { id: 'i:5', start: true, end: false }],
    ['a string that looks like the number', { sequence_id: '5', sequence_end: true }, { id: 's:5', start: false, end: true }],
  ];
  it.each(sequences)('sequence: %s', (_name, parameters, sequence) => {
    const result = classify(view(parameters), policy, 1000, Infinity);
    expect(result.ok && result.value.sequence).toEqual(sequence);
  });

  const refused: readonly [string, Record<string, ParameterValue>, string][] = [
    [
      'a priority that is text',
      { priority: '1' },
      'parameter "priority": expected an int64 or uint64 of 0 or more, got a string_param "1"',
    ],
    [
      'a timeout that is a double',
      { timeout: 0.5 },
      'parameter "timeout": expected an int64 or uint64 of microseconds, 0 or more, got a double_param 0.5',
    ],
    ['a negative timeout', { timeout: -1n }, 'parameter "timeout": expected an int64 or uint64 of microseconds, 0 or more, got -1'],
    [
      'a sequence_start that is a number',
      { sequence_id: 1n, sequence_start: 1n },
      'parameter "sequence_start": expected a bool, got a int64_param',
    ],
    [
      'a sequence id of a kilobyte',
      { sequence_id: 'x'.repeat(1024) },
      'parameter "sequence_id": expected at most 256 characters, got 1024',
    ],
  ];
  it.each(refused)('refuses %s', (_name, parameters, message) => {
    expect(classify(view(parameters), policy, 1000, Infinity)).toMatchObject({
      ok: false,
      refusal: { reason: 'INVALID_PARAMETER', message },
    });
  });

  it('refuses a deadline that has passed', () => {
    expect(classify(view({}), policy, 1000, 1000)).toMatchObject({ ok: false, refusal: { reason: 'DEADLINE_EXCEEDED' } });
  });
});

describe('ByteBudget', () => {
  it('takes what fits, counts an overhead for each message, and gives it back', () => {
    const budget = new ByteBudget(3 * ByteBudget.overheadBytes);
    expect([budget.take(0), budget.take(ByteBudget.overheadBytes), budget.take(0)]).toEqual([true, true, false]);
    budget.release(0);
    expect(budget.take(0)).toBe(true);
    budget.setMax(0);
    budget.release(0);
    expect(budget.take(0)).toBe(false);
  });
});
