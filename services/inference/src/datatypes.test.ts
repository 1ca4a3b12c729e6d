import { fileURLToPath } from 'node:url';
import type { Datatype } from '@headrace/proto';
import { inferenceService, writeInferRequest } from '@headrace/proto';
import { statusCode, systemClock } from '@headrace/runtime';
import { poisoningTransport } from '@headrace/wire/testing';
import { testTransport } from '@headrace/wire/testing/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceServer } from './server.js';
import { startInferenceServer } from './server.js';
import { seededRandom } from './model/made-up-inputs.js';
import { InferenceClient, readResponse, requestOf } from './testing/index.js';

const models = fileURLToPath(new URL('../../../test/models', import.meta.url));

let server: InferenceServer;
let client: InferenceClient;

// Messages are overwritten as soon as their listener returned: whatever was kept without a copy shows as a wrong value.
beforeAll(async () => {
  server = await startInferenceServer({
    modelRepository: models,
    cpuQuota: 1,
    maxOwnThreads: 0,
    transport: poisoningTransport(testTransport(systemClock)),
  });
  await server.loaded;
  client = new InferenceClient(server.grpcPort);
}, 30_000);

afterAll(async () => {
  client.close();
  await server.close();
});

/** model, datatype, bytes of one element, typed contents field and values, their raw form. */
const numeric: readonly [string, Datatype, number, string | undefined, readonly (number | boolean | string)[], Uint8Array][] = [
  ['identity_bool', 'BOOL', 1, 'bool_contents', [true, false], Uint8Array.of(1, 0)],
  ['identity_uint8', 'UINT8', 1, 'uint_contents', [0, 255], Uint8Array.of(0, 255)],
  ['identity_uint16', 'UINT16', 2, 'uint_contents', [1, 65535], bytes(Uint16Array.of(1, 65535))],
  ['identity_uint32', 'UINT32', 4, 'uint_contents', [1, 4294967295], bytes(Uint32Array.of(1, 4294967295))],
  ['identity_uint64', 'UINT64', 8, 'uint64_contents', ['1', '18446744073709551615'], bytes(BigUint64Array.of(1n, 2n ** 64n - 1n))],
  ['identity_int8', 'INT8', 1, 'int_contents', [-128, 127], bytes(Int8Array.of(-128, 127))],
  ['identity_int16', 'INT16', 2, 'int_contents', [-32768, 32767], bytes(Int16Array.of(-32768, 32767))],
  ['identity_int32', 'INT32', 4, 'int_contents', [-2147483648, 7], bytes(Int32Array.of(-2147483648, 7))],
  [
    'identity_int64',
    'INT64',
    8,
    'int64_contents',
    ['-9223372036854775808', '9007199254740993'],
    bytes(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)),
  ],
  ['identity_float16', 'FP16', 2, undefined, [], bytes(Uint16Array.of(0x7c01, 0xffff))],
  ['identity_float', 'FP32', 4, 'fp32_contents', [1.5, -0], bytes(Float32Array.of(1.5, -0))],
  ['identity_double', 'FP64', 8, 'fp64_contents', [Math.PI, 5e-324], bytes(Float64Array.of(Math.PI, 5e-324))],
];

function bytes(array: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

describe('every datatype that onnxruntime-node carries comes back bit for bit', () => {
  it.each(numeric)('%s raw: every byte pattern', async (model, datatype, size) => {
    const width = 256;
    const raw = Uint8Array.from({ length: width * size }, (_, index) =>
      datatype === 'BOOL' ? index % 2 : (index * 37 + (index >> 8)) & 0xff,
    );
    const result = await client.infer({ model, inputs: [{ name: 'x', datatype, shape: [1, width], data: [raw] }] });
    if (!result.ok) throw new Error(result.status.message);
    expect(result.outputs.get('y')).toMatchObject({ datatype, shape: [1, width] });
    expect(result.outputs.get('y')?.raw.equals(raw)).toBe(true);
  });

  it.each(numeric.filter(([, , , field]) => field !== undefined))(
    '%s typed contents',
    async (model, datatype, _size, field, values, raw) => {
      const message = inferenceService.methods.ModelInfer.request.encode({
        model_name: model,
        inputs: [{ name: 'x', datatype, shape: ['1', String(values.length)], contents: { [field ?? '']: values } }],
      });
      const result = await client.inferBytes(message);
      if (!result.ok) throw new Error(result.status.message);
      expect(result.outputs.get('y')?.raw.equals(raw)).toBe(true);
    },
  );

  it.each([
    ['zero columns', [2, 0]],
    ['zero rows', [0, 3]],
  ])('a tensor of %s', async (_name, shape) => {
    const result = await client.infer({ model: 'identity_float', inputs: [{ name: 'x', datatype: 'FP32', shape, data: [] }] });
    if (!result.ok) throw new Error(result.status.message);
    expect(result.outputs.get('y')).toMatchObject({ shape, raw: Buffer.alloc(0) });
  });
});

it('no reply reaches a wrong caller and no rows mix, with mixed row counts, random cancels and overwritten messages', async () => {
  const random = seededRandom(7);
  const { ModelInfer } = inferenceService.methods;
  let answered = 0;
  const calls = Array.from({ length: 400 }, (_, caller) => {
    const rows = 1 + Math.floor(random() * 5);
    const nonces = BigInt64Array.from({ length: rows }, (_unused, row) => BigInt(caller * 100 + row));
    const payload = Float32Array.from({ length: rows * 8 }, (_unused, index) => caller + index / 64);
    const message = writeInferRequest(
      requestOf({
        model: 'echo_nonce',
        id: String(caller),
        inputs: [
          { name: 'nonce', datatype: 'INT64', shape: [rows, 1], data: [bytes(nonces)] },
          { name: 'payload', datatype: 'FP32', shape: [rows, 8], data: [bytes(payload)] },
        ],
        parameters: random() < 0.2 ? { priority: 1n } : {},
      }),
    );
    const answerOf = (reply: Buffer): readonly unknown[] => {
      const { response, outputs } = readResponse(reply);
      return [response.id, outputs.get('nonce_out')?.raw.equals(bytes(nonces)), outputs.get('payload_out')?.raw.equals(bytes(payload))];
    };
    const cancels = random() < 0.3;
    return new Promise<void>((resolve) => {
      const call = client.channel.unary(ModelInfer.path, message, {}, (outcome) => {
        const told = outcome.ok ? answerOf(outcome.message) : [outcome.status.code];
        expect(told).toEqual(outcome.ok ? [String(caller), true, true] : [statusCode.CANCELLED]);
        answered += Number(outcome.ok);
        resolve();
      });
      if (cancels) setTimeout(() => call.cancel(), random() * 30);
    });
  });
  await Promise.all(calls);
  expect(answered).toBeGreaterThan(200);
});

/** Length-prefixed elements. */
function strings(...elements: (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    elements.flatMap((element) => {
      const content = Buffer.from(element as string);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(content.length);
      return [length, content];
    }),
  );
}

describe('BYTES', () => {
  it('comes back unchanged, empty elements and all planes of Unicode included', async () => {
    const raw = strings('', 'plain', 'Grüße', '\u{1F600}\u{10FFFF}', ' '.repeat(5000));
    const result = await client.infer({ model: 'identity_string', inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 5], data: [raw] }] });
    if (!result.ok) throw new Error(result.status.message);
    expect(result.outputs.get('y')?.raw.equals(raw)).toBe(true);
  });

  it('is cut by rows after a merged run', async () => {
    const asked = Array.from({ length: 24 }, (_, caller) =>
      strings(...Array.from({ length: 2 }, (_unused, index) => `${caller}-${'z'.repeat((caller * 7 + index) % 50)}`)),
    );
    const results = await Promise.all(
      asked.map((raw) =>
        client.infer({ model: 'identity_string', inputs: [{ name: 'x', datatype: 'BYTES', shape: [2, 1], data: [raw] }] }),
      ),
    );
    results.forEach((result, index) => {
      if (!result.ok) throw new Error(result.status.message);
      expect(result.outputs.get('y')?.raw.equals(asked[index] ?? Buffer.alloc(0))).toBe(true);
    });
  });

  it.each([
    ['a NUL', strings('fine', 'a\0b'), /input "x": element 1 holds a NUL byte at offset 1/],
    ['invalid UTF-8', strings('fine', Uint8Array.of(0x61, 0xff)), /input "x": element 1 is not valid UTF-8/],
    ['a lone surrogate', strings('fine', Uint8Array.of(0xed, 0xa0, 0x80)), /element 1 is not valid UTF-8/],
    ['a length past the end', Uint8Array.of(9, 0, 0, 0, 1), /element 0 is cut off: expected 9 bytes, got 1/],
    ['half a length', Buffer.concat([strings('fine'), Uint8Array.of(1, 0)]), /element 1 is cut off: expected a 4-byte length, got 2 bytes/],
    ['too few elements', strings('one'), /expected 2 elements, got 1/],
    ['too many elements', strings('one', 'two', 'three'), /expected 2 elements, got more than 2/],
  ])('with %s is refused by name', async (_name, raw, message) => {
    const result = await client.infer({ model: 'identity_string', inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 2], data: [raw] }] });
    expect(result.ok ? undefined : result.status.code).toBe(statusCode.INVALID_ARGUMENT);
    expect(result.ok ? '' : result.status.message).toMatch(message);
  });
});
