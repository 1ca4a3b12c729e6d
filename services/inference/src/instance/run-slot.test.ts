import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { TensorInTransit } from './protocol.js';
import { RunSlot, slotTensorBytes } from './run-slot.js';

/** A buffer longer than its tensor, as those of the pool are. */
function tensor(bytes: Uint8Array, shape: readonly number[]): TensorInTransit {
  const buffer = new ArrayBuffer(bytes.length + 64);
  new Uint8Array(buffer).set(bytes);
  return { buffer, byteLength: bytes.length, shape };
}

function plain({ buffer, byteOffset = 0, byteLength, shape }: TensorInTransit): { readonly bytes: number[]; readonly shape: number[] } {
  return { bytes: [...new Uint8Array(buffer, byteOffset, byteLength)], shape: [...shape] };
}

function zeros(count: number, byteLength: number, shape: readonly number[]): TensorInTransit[] {
  return Array.from({ length: count }, () => tensor(new Uint8Array(byteLength), shape));
}

const tensors = fc.array(
  fc
    .tuple(fc.uint8Array({ maxLength: 300 }), fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 6 }))
    .map(([bytes, shape]) => tensor(bytes, shape)),
  { maxLength: 8 },
);
const times = fc.record({ inputNs: fc.nat(), runNs: fc.maxSafeNat(), outputNs: fc.nat() });
const run = { session: 1, outputs: [0] };
const took = { inputNs: 1, runNs: 2, outputNs: 3 };

test('what one thread lays down the other takes out: runs and results in turns, over the same memory', () => {
  const host = new RunSlot();
  const worker = new RunSlot(host.memory);
  fc.assert(
    fc.property(fc.nat(), tensors, fc.array(fc.nat(), { maxLength: 5 }), tensors, times, (session, inputs, wanted, outputs, ns) => {
      expect(host.putRun({ session, inputs, outputs: wanted })).toBe(true);
      const taken = worker.takeRun();
      expect({ ...taken, inputs: taken.inputs.map(plain) }).toEqual({ session, inputs: inputs.map(plain), outputs: wanted });
      // Every element type can be laid over it.
      for (const { byteOffset = 0 } of taken.inputs) expect(byteOffset % 8).toBe(0);
      expect(worker.putResult({ outputs, ...ns })).toBe(true);
      const result = host.takeResult();
      expect({ ...result, outputs: result.outputs.map(plain) }).toEqual({ ...ns, outputs: outputs.map(plain) });
    }),
  );
});

test('outputs are in buffers of their own: the next run does not change them', () => {
  const host = new RunSlot();
  host.putResult({ ...took, outputs: [tensor(Uint8Array.of(1, 2, 3), [3])] });
  const [first] = host.takeResult().outputs;
  host.putResult({ ...took, outputs: [tensor(Uint8Array.of(9, 9, 9), [3])] });
  expect([...new Uint8Array(first?.buffer ?? new ArrayBuffer(0))]).toEqual([1, 2, 3]);
});

describe('the slot never grows: a run or result goes in whole or not at all', () => {
  it.each([
    { name: 'all its bytes', tensors: zeros(1, slotTensorBytes, [slotTensorBytes]), fits: true },
    { name: 'one byte more', tensors: zeros(1, slotTensorBytes + 1, [slotTensorBytes + 1]), fits: false },
    { name: 'two tensors that fill it once rounded up', tensors: zeros(2, slotTensorBytes / 2 - 7, [1]), fits: true },
    { name: 'nine that would fit if none were rounded up', tensors: zeros(9, Math.floor(slotTensorBytes / 9), [1]), fits: false },
    { name: 'sixty tensors of rank 2', tensors: zeros(60, 4, [1, 1]), fits: true },
    { name: 'seventy tensors of rank 2: more numbers than there is room for', tensors: zeros(70, 4, [1, 1]), fits: false },
    {
      name: 'one tensor of rank 300',
      tensors: zeros(
        1,
        4,
        Array.from({ length: 300 }, () => 1),
      ),
      fits: false,
    },
    { name: 'no tensor', tensors: [], fits: true },
  ])('$name', ({ tensors: given, fits }) => {
    const slot = new RunSlot();
    const bytes = slot.memory.byteLength;
    expect(slot.putRun({ ...run, inputs: given })).toBe(fits);
    expect(fits ? slot.takeRun().inputs.map(plain) : []).toEqual(fits ? given.map(plain) : []);
    expect(slot.putResult({ ...took, outputs: given })).toBe(fits);
    expect(fits ? slot.takeResult().outputs.map(plain) : []).toEqual(fits ? given.map(plain) : []);
    expect(slot.memory.byteLength).toBe(bytes);
  });

  it('a run whose output list is too long for the numbers', () => {
    expect(new RunSlot().putRun({ session: 1, inputs: [], outputs: Array.from({ length: 253 }, () => 0) })).toBe(true);
    expect(new RunSlot().putRun({ session: 1, inputs: [], outputs: Array.from({ length: 254 }, () => 0) })).toBe(false);
  });
});
