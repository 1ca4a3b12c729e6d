import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFully, messageType } from '../testing/full-decoder.js';
import { Random } from '../testing/random.js';
import { randomMessage } from '../testing/random-message.js';
import { mutateMessage } from '../testing/wire-mutator.js';
import { requestShape } from '../testing/wire-tree.js';
import type { InferRequestView, ScanResult } from './request.js';
import type { RequestForm } from './request-form.js';
import { RequestScanner } from './request-scanner.js';
import { scanInferRequest } from './scan-request.js';
import { writeInferRequest } from './write-request.js';

const type = messageType('inference.ModelInferRequest');

/** Scans with `scanner`, and holds the result against that of the scan without memory. */
function scan(scanner: RequestScanner, bytes: Buffer): RequestForm | undefined {
  const plain = scanInferRequest(bytes);
  const remembered = scanner.scan(bytes);
  // Not expect: it costs more than the scan.
  deepStrictEqual(withoutForm(remembered), plain);
  return remembered.ok ? remembered.view.form : undefined;
}

function withoutForm(result: ScanResult<InferRequestView>): ScanResult<Omit<InferRequestView, 'form'>> {
  if (!result.ok) return result;
  const { form: _, ...view } = result.view;
  return { ok: true, view };
}

function request(id: string, values: readonly number[], rows = 1, version = '3'): Buffer {
  const data = [Buffer.from(Float32Array.from(values).buffer), Buffer.from([values[0] ?? 0])];
  return writeInferRequest({
    modelName: 'ranker',
    modelVersion: version,
    id,
    parameters: new Map([['priority', 2n]]),
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [rows, values.length], data: [data[0] as Buffer] },
      { name: 'y', datatype: 'UINT8', shape: [rows, 1], data: [data[1] as Buffer] },
    ],
    outputs: [],
  });
}

describe('RequestScanner', () => {
  it('gives requests one form that differ in raw bytes and in an id of the same length, and no others', () => {
    const scanner = new RequestScanner();
    const form = scan(scanner, request('a-1', [1, 2]));
    expect(form).toBeDefined();
    expect(scan(scanner, request('b-2', [3, 4]))).toBe(form);
    for (const other of [request('a-1', [1, 2], 2), request('a-1', [1, 2], 1, '4'), request('long', [1, 2]), request('', [1, 2])]) {
      expect(scan(scanner, other)).not.toBe(form);
    }
  });

  it('reads as the scan without memory does: messages changed on the wire, after those that they come from', () => {
    const seen = { known: 0, formed: 0, refused: 0 };
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const scanner = new RequestScanner();
        const original = encodeFully(type, randomMessage(random, 'request'));
        const form = scan(scanner, original);
        const { bytes } = mutateMessage(original, requestShape, random);
        const changed = scan(scanner, bytes);
        if (changed !== undefined) seen.formed++;
        else seen.refused++;
        // And again, by what is remembered now.
        if (changed !== undefined && scan(scanner, bytes) === changed) seen.known++;
        if (form !== undefined && scan(scanner, original) === form) seen.known++;
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.known, seen.formed, seen.refused)).toBeGreaterThan(150);
  });

  it('reads as the scan without memory does: any byte of a known message changed, an id with bad UTF-8 included', () => {
    const scanner = new RequestScanner();
    const original = request('id-ä-7', [1, 2, 3]);
    const form = scan(scanner, original);
    expect(form).toBeDefined();
    const seen = { same: 0, other: 0, refused: 0 };
    for (let at = 0; at < original.length; at++) {
      for (const change of [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x7f, 0xff]) {
        const bytes = Buffer.from(original);
        bytes[at] = (bytes[at] as number) ^ change;
        // The slot may have been taken over by the last message.
        scan(scanner, original);
        const known = scanner.scan(original);
        const changed = scan(scanner, bytes);
        if (changed === undefined) seen.refused++;
        else if (known.ok && changed === known.view.form) seen.same++;
        else seen.other++;
      }
    }
    // 13 bytes of raw contents and the id's; names, shape and version; tags, lengths and UTF-8.
    expect(seen.same).toBeGreaterThan(13 * 10);
    expect(Math.min(seen.other, seen.refused)).toBeGreaterThan(50);
  });

  it('keeps no form of typed contents, of long descriptions, of many parts and of an id given twice', () => {
    const scanner = new RequestScanner();
    const typed = encodeFully(type, {
      modelName: 'm',
      inputs: [{ name: 'x', datatype: 'INT32', shape: [1n], contents: { intContents: [5] } }],
    });
    const long = writeInferRequest({
      modelName: 'm',
      modelVersion: '',
      id: '',
      parameters: new Map([['note', 'x'.repeat(2000)]]),
      inputs: [],
      outputs: [],
    });
    const many = writeInferRequest({
      modelName: 'm',
      modelVersion: '',
      id: '',
      parameters: new Map(),
      inputs: [],
      outputs: Array.from({ length: 40 }, () => ({ name: 'y', parameters: new Map() })),
    });
    const twice = Buffer.concat([request('one', [1]), Buffer.from([0x1a, 3, 0x74, 0x77, 0x6f])]);
    for (const bytes of [typed, long, many, twice]) expect(scan(scanner, bytes)).toBeUndefined();
  });

  it('does not keep the message that a form was learnt from', () => {
    const bytes = request('id', [1]);
    const scanner = new RequestScanner();
    scanner.scan(bytes);
    const again = scanner.scan(request('ab', [2]));
    expect(again.ok && again.view.form !== undefined && again.view.bytes).not.toBe(bytes);
    expect(JSON.stringify(again.ok && again.view.id)).toBe('"ab"');
  });
});
