import { describe, expect, it } from 'vitest';
import { parseTree, requestShape, varintBytes, writeTree } from '../testing/wire-tree.js';
import { maxEntries } from '../wire-format/reader.js';
import { scanInferRequest } from './scan-request.js';
import { scanInferResponse } from './scan-response.js';
import type { InferRequestToWrite } from './request.js';
import { writeInferRequest } from './write-request.js';

const plain: InferRequestToWrite = { modelName: 'm', modelVersion: '', id: '', parameters: new Map(), inputs: [], outputs: [] };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const repeat = (record: string, count: number): Buffer => Buffer.from(record.repeat(count), 'hex');
const delimited = (tag: string, payload: Buffer): Buffer => Buffer.concat([hex(tag), varintBytes(BigInt(payload.length)), payload]);
/** An input whose one dimension comes before its name. */
const inputWithDim = (dim: bigint, name = 'x'): Buffer =>
  delimited('2a', Buffer.concat([delimited('1a', varintBytes(dim)), delimited('0a', Buffer.from(name))]));

describe('scanning an inference request', { timeout: 60_000 }, () => {
  it('points into the message and copies nothing', () => {
    const data = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
    const bytes = writeInferRequest({ ...plain, inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [data] }] });
    const scanned = scanInferRequest(bytes);
    if (!scanned.ok) throw new Error(scanned.message);
    const raw = scanned.view.inputs[0]?.raw;
    expect(scanned.view.bytes).toBe(bytes);
    expect(raw && bytes.subarray(raw.start, raw.end)).toEqual(data);
  });

  it('gives an input in shared memory no raw contents', () => {
    const written = writeInferRequest({
      ...plain,
      inputs: [
        { name: 'shared', datatype: 'INT8', shape: [1], data: [] },
        { name: 'sent', datatype: 'INT8', shape: [1], data: [Buffer.from([7])] },
      ],
    });
    const records = parseTree(written, requestShape);
    const shared = records.find((record) => record.field === 5);
    if (shared?.kind !== 'message') throw new Error('no input');
    const region = parseTree(hex('221d 0a14 7368617265645f6d656d6f72795f726567696f6e 1205 1a03726567'), requestShape);
    shared.records.push(...region);
    // The first raw entry, empty, goes: a shared input sends none.
    records.splice(
      records.findIndex((record) => record.field === 7),
      1,
    );
    const scanned = scanInferRequest(writeTree(records));
    if (!scanned.ok) throw new Error(scanned.message);
    expect(scanned.view.inputs.map(({ name, raw }) => [name, raw && raw.end - raw.start])).toEqual([
      ['shared', undefined],
      ['sent', 1],
    ]);
  });

  it.each<[what: string, bytes: Buffer, message: RegExp]>([
    [
      'a dimension below 0',
      inputWithDim(-1n),
      /^ModelInferRequest: inputs\[0\]\.shape: dimension 0 of "x": expected 0 to 2\^53 - 1, got -1/,
    ],
    ['a dimension of 2^53', inputWithDim(2n ** 53n), /dimension 0 of "x": expected 0 to 2\^53 - 1, got 9007199254740992/],
    ['a cut name', hex('0a05 6162'), /^ModelInferRequest: model_name: expected 5 bytes, got 2 \(at byte 2 of 4\)/],
    ['a length of 2^31', hex('0a 8080808008'), /^ModelInferRequest: model_name: expected a length of at most 2\^31 - 1 in at most 5 bytes/],
    ['a length in more than 5 bytes', hex('0a 818080808000 61'), /model_name: expected a length of at most 2\^31 - 1 in at most 5 bytes/],
    ['a name that is not UTF-8', hex('2a00 2a03 0a01ff'), /inputs\[1\]\.name: expected UTF-8, got other bytes/],
    ['a parameter with a cut value', hex('2205 0a0161 1210'), /parameters\.value: expected 16 bytes, got 0/],
    ['a wire type that does not exist', hex('0f'), /expected a wire type from 0 to 5, got 7/],
    ['groups nested too deep', Buffer.concat([repeat('7b', 200), repeat('7c', 200)]), /expected at most 100 levels of nesting/],
    ['a tensor name of megabytes with a bad dimension', inputWithDim(-1n, 'a'.repeat(2_000_000)), /dimension 0 of "a{64}\.\.\."/],
  ])('refuses %s and says where', (_what, bytes, message) => {
    const scanned = scanInferRequest(bytes);
    expect(scanned).toEqual({ ok: false, message: expect.stringMatching(message) as string });
  });

  it.each<[what: string, record: string]>([
    ['inputs', '2a00'],
    ['requested outputs', '3200'],
    ['raw contents', '3a00'],
    ['parameters', '2200'],
  ])('takes as many empty %s as the limit says, and not one more', (_what, record) => {
    expect(scanInferRequest(repeat(record, maxEntries)).ok).toBe(true);
    const scanned = scanInferRequest(repeat(record, maxEntries + 1));
    expect(scanned).toEqual({ ok: false, message: expect.stringContaining(`expected at most ${maxEntries} tensors`) as string });
  });

  it('counts dimensions and contents towards the same limit', () => {
    const dims = delimited('1a', Buffer.alloc(maxEntries, 1));
    const contents = repeat('2a00', maxEntries);
    for (const body of [dims, contents]) {
      expect(scanInferRequest(delimited('2a', body)).ok).toBe(false);
      expect(scanInferResponse(delimited('2a', body)).ok).toBe(false);
    }
  });

  it('reads a name again as the same text after others fell on its place', () => {
    // More names than are remembered, each twice.
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 3000; index++) {
        const scanned = scanInferRequest(writeInferRequest({ ...plain, modelName: `model-${index}` }));
        expect(scanned.ok && scanned.view.modelName).toBe(`model-${index}`);
      }
    }
  });
});
