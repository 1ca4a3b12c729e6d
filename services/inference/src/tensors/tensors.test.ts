import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.js';
import { checkBytes, decodeStrings, encodeStrings } from './bytes-codec.js';
import { gather, ungather } from './gather.js';
import { scatter } from './scatter.js';

describe('BYTES codec', () => {
  it('gives back every list of strings without NUL', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((candidate) => !candidate.includes('\0'));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (strings) => {
        const raw = new Uint8Array(encodeStrings(strings));
        expect(checkBytes(raw, strings.length)).toEqual({ ok: true, elements: strings.length });
        expect(decodeStrings(raw)).toEqual(strings);
      }),
    );
  });
});

describe('gather and scatter', () => {
  const member = fc.record({ rows: fc.integer({ min: 1, max: 5 }), seed: fc.integer() });

  it('each member gets back exactly its rows, fixed-size and BYTES, whatever the others sent', () => {
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 3 }), (sketches, width) => {
        const pool = new BufferPool();
        const members = sketches.map(({ rows, seed }) => ({
          rows,
          tensors: [
            { shape: [rows, width], data: Buffer.from(Int32Array.from({ length: rows * width }, (_, index) => seed + index).buffer) },
            {
              shape: [rows, 1],
              data: Buffer.from(encodeStrings(Array.from({ length: rows }, (_, index) => `${seed}:${'x'.repeat(index * 3)}`))),
            },
          ],
        }));
        const inputs = gather(members, pool);
        const declared = [
          { name: 'a', datatype: 'INT32' as const, shape: [-1, width] },
          { name: 'b', datatype: 'BYTES' as const, shape: [-1, 1] },
        ];
        const cut = scatter(
          inputs,
          declared,
          members.map(({ rows }) => rows),
        );
        if (!cut.ok) throw new Error(cut.message);
        members.forEach(({ tensors }, index) => {
          tensors.forEach((tensor, output) => {
            const part = cut.parts[index]?.[output];
            expect(part?.shape).toEqual(tensor.shape);
            expect(Buffer.from(part?.data ?? []).equals(tensor.data)).toBe(true);
          });
        });
        const again = ungather(
          members,
          inputs.map(({ buffer }) => buffer),
        );
        expect(again.map((tensors) => tensors.map(({ data }) => data.toString('hex')))).toEqual(
          members.map(({ tensors }) => tensors.map(({ data }) => data.toString('hex'))),
        );
      }),
    );
  });

  it.each([
    ['another row count', [3, 2], /output "y": .*expected 4 rows/],
    ['a scalar', [], /output "y": is a scalar, expected rows/],
  ])('an output of %s cannot be cut, and is named', (_name, shape, message) => {
    const byteLength = shape.reduce((product, dim) => product * dim, 4);
    const cut = scatter(
      [{ buffer: new ArrayBuffer(byteLength), byteLength, shape }],
      [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
      [1, 3],
    );
    expect(cut.ok ? '' : cut.message).toMatch(message);
  });
});

describe('buffer pool', () => {
  it('gives a buffer of the size class again after it came back', () => {
    const pool = new BufferPool();
    const first = pool.acquire(300);
    expect(first.byteLength).toBe(512);
    pool.release(first);
    expect(pool.acquire(512)).toBe(first);
    expect(pool.idleBytes).toBe(0);
  });

  it('never keeps more than its bound, nor what it did not make', () => {
    const pool = new BufferPool(1024);
    for (const size of [512, 512, 512]) pool.release(new ArrayBuffer(size));
    expect(pool.idleBytes).toBe(1024);
    pool.release(new ArrayBuffer(0));
    expect(new BufferPool().acquire(100 * 1024 * 1024).byteLength).toBe(100 * 1024 * 1024);
    const fresh = new BufferPool();
    fresh.release(new ArrayBuffer(300));
    expect(fresh.idleBytes).toBe(0);
  });
});
