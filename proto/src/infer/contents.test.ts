import { describe, expect, it } from 'vitest';
import { inferenceService } from '../rpc/services.js';
import type { InferTensorContents } from '../gen/inference/InferTensorContents.js';
import { decodeContents } from './contents.js';
import type { Datatype } from './datatype.js';
import { scanInferRequest } from './scan-request.js';

function decode(datatype: Datatype, contents: InferTensorContents): ReturnType<typeof decodeContents> {
  const bytes = inferenceService.methods.ModelInfer.request.encode({ inputs: [{ name: 'x', datatype, contents }] });
  const scanned = scanInferRequest(bytes);
  if (!scanned.ok) throw new Error(scanned.message);
  return decodeContents(bytes, scanned.view.inputs[0]?.contents ?? [], datatype);
}

describe('typed contents as raw bytes', () => {
  it.each<[Datatype, InferTensorContents, elements: number, raw: string]>([
    ['BOOL', { bool_contents: [true, false, true] }, 3, '010001'],
    ['INT8', { int_contents: [-128, -1, 127] }, 3, '80ff7f'],
    ['INT16', { int_contents: [-32_768, 258] }, 2, '00800201'],
    ['INT32', { int_contents: [-2, 2 ** 31 - 1] }, 2, 'feffffffffffff7f'],
    ['INT64', { int64_contents: ['-1', '9223372036854775807'] }, 2, 'ffffffffffffffffffffffffffffff7f'],
    ['UINT8', { uint_contents: [0, 255] }, 2, '00ff'],
    ['UINT16', { uint_contents: [65_535, 1] }, 2, 'ffff0100'],
    ['UINT32', { uint_contents: [4_294_967_295] }, 1, 'ffffffff'],
    ['UINT64', { uint64_contents: ['18446744073709551615'] }, 1, 'ffffffffffffffff'],
    ['FP32', { fp32_contents: [1, -2] }, 2, '0000803f000000c0'],
    ['FP64', { fp64_contents: [1] }, 1, '000000000000f03f'],
    ['BYTES', { bytes_contents: [Buffer.from('ab'), Buffer.alloc(0), Buffer.from([0])] }, 3, '02000000616200000000' + '0100000000'],
    ['FP32', {}, 0, ''],
  ])('%s %o', (datatype, contents, elements, raw) => {
    const decoded = decode(datatype, contents);
    expect(decoded).toEqual({ ok: true, elements, raw: Buffer.from(raw, 'hex') });
  });

  it.each<[Datatype, InferTensorContents, message: RegExp]>([
    ['INT8', { int_contents: [1, 128] }, /^contents\.int_contents: element 1: expected -128 to 127 for INT8, got 128/],
    ['INT16', { int_contents: [-32_769] }, /element 0: expected -32768 to 32767 for INT16, got -32769/],
    ['UINT8', { uint_contents: [1, 2, 256] }, /element 2: expected 0 to 255 for UINT8, got 256/],
    ['UINT16', { uint_contents: [65_536] }, /element 0: expected 0 to 65535 for UINT16, got 65536/],
    ['INT32', { int64_contents: ['1'] }, /^contents\.int64_contents: expected int_contents for INT32, got elements here/],
    ['FP32', { fp32_contents: [1], fp64_contents: [1] }, /fp64_contents: expected fp32_contents for FP32/],
    ['FP16', { fp32_contents: [1] }, /expected raw contents, the only form of FP16/],
    ['BF16', {}, /expected raw contents, the only form of BF16/],
  ])('%s %o is refused by name', (datatype, contents, message) => {
    expect(decode(datatype, contents)).toEqual({ ok: false, message: expect.stringMatching(message) as string });
  });
});
