import { describe, expect, it } from 'vitest';
import type { TensorInTransit } from '../instance/protocol.js';
import type { ModelSignature } from '../tensors/signature.js';
import { checkBatching } from './batch-check.js';
import { halfValue } from './compare-rows.js';
import { madeUpInputs, seededRandom } from './made-up-inputs.js';

const signature: ModelSignature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4] }],
  skippedOutputs: [],
};

function model(map: (values: Float32Array, rows: number) => { readonly values: Float32Array; readonly shape: number[] }) {
  return async ([input]: readonly TensorInTransit[]): Promise<TensorInTransit[]> => {
    const rows = input?.shape[0] ?? 0;
    const { values, shape } = map(new Float32Array(input?.buffer.slice(0) ?? new ArrayBuffer(0)), rows);
    return [{ buffer: values.buffer as ArrayBuffer, byteLength: values.byteLength, shape }];
  };
}

describe('batch check', () => {
  it.each<[string, ReturnType<typeof model>, RegExp | undefined]>([
    ['rows on their own', model((values, rows) => ({ values: values.map((value) => value * 2), shape: [rows, 4] })), undefined],
    [
      'rounding in another order',
      model((values, rows) => ({ values: values.map((value) => value * (1 + rows * 1e-6)), shape: [rows, 4] })),
      undefined,
    ],
    [
      'rows that see each other',
      model((values, rows) => ({ values: values.map((value) => value / rows), shape: [rows, 4] })),
      /output "y" differs at element 0 of two rows at once: expected 0\.\d+ as in the single run, got 0\.\d+/,
    ],
    ['rows in another order', model((values, rows) => ({ values: values.toReversed(), shape: [rows, 4] })), /output "y" differs/],
    [
      'one result for all rows',
      model((values) => ({ values: values.slice(0, 4), shape: [1, 4] })),
      /output "y" has shape \[1,4\] for two rows, expected \[2,4\] from \[1,4\] for one/,
    ],
    ['a failing run', () => Promise.reject(new Error('indices out of bounds')), /could not be tried .*indices out of bounds/],
  ])('%s', async (_name, run, reason) => {
    const check = await checkBatching(signature, run, undefined);
    expect(check.mayMerge).toBe(reason === undefined);
    expect(check.mayMerge ? 'may merge' : check.reason).toMatch(reason ?? /^may merge$/);
  });

  it('a fixed first dimension needs no run to be refused', async () => {
    const fixed = { ...signature, inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [1, 4] }] };
    const check = await checkBatching(fixed, () => Promise.reject(new Error('ran')), undefined);
    expect(check).toEqual({ mayMerge: false, reason: 'input "x" has shape [1,4], expected an open first dimension (-1)' });
  });
});

describe('made-up inputs', () => {
  it('fill every datatype with small valid values, open dims with 4', () => {
    const all = ['BOOL', 'UINT8', 'INT64', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'] as const;
    const inputs = madeUpInputs(
      { inputs: all.map((datatype) => ({ name: datatype, datatype, shape: [-1, -1] })), outputs: [], skippedOutputs: [] },
      2,
      seededRandom(1),
    );
    expect(inputs.map(({ shape }) => shape)).toEqual(all.map(() => [2, 4]));
    expect([...new Uint8Array(inputs[0]?.buffer ?? new ArrayBuffer(0))].every((value) => value <= 1)).toBe(true);
    expect([...new BigInt64Array(inputs[2]?.buffer ?? new ArrayBuffer(0))].every((value) => value === 0n || value === 1n)).toBe(true);
    const halves = [...new Uint16Array(inputs[4]?.buffer ?? new ArrayBuffer(0))].map(halfValue);
    expect(halves.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(new Set(halves).size).toBeGreaterThan(2);
  });

  it('refuses shapes that are too large to make up', () => {
    expect(() =>
      madeUpInputs({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1e9] }], outputs: [], skippedOutputs: [] }, 1, seededRandom(1)),
    ).toThrow(/input "x": shape \[1,1000000000\] is too large/);
  });
});
