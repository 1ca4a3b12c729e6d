import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ParameterValue } from './request.js';
import { PreparedInferResponse } from './prepared-response.js';
import { writeInferResponse } from './write-response.js';

const text = fc.string({ maxLength: 40, unit: 'binary' });
const count = fc.oneof(fc.nat(300), fc.maxSafeNat());
const tensor = fc.record({
  name: text,
  shape: fc.array(fc.oneof(fc.nat(200), fc.maxSafeNat()), { maxLength: 4 }),
  raw: fc.uint8Array({ maxLength: 300 }),
});

it('writes byte for byte what writeInferResponse writes, whatever changes from one to the next', () => {
  fc.assert(
    fc.property(
      text,
      text,
      fc.uniqueArray(text, { maxLength: 4 }),
      fc.array(tensor, { maxLength: 4 }),
      fc.option(fc.dictionary(text, fc.oneof(fc.boolean(), text, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })), { maxKeys: 3 })),
      fc.array(fc.tuple(text, fc.array(count, { minLength: 4, maxLength: 4 })), { minLength: 1, maxLength: 3 }),
      (modelName, modelVersion, all, tensors, known, calls) => {
        const fixed = new Map<string, ParameterValue>(Object.entries(known ?? {}));
        const names = all.filter((name) => !fixed.has(name));
        const outputs = tensors.map(({ name, shape }) => ({ name, datatype: 'FP32' as const, shape }));
        const prepared = new PreparedInferResponse({
          modelName,
          modelVersion,
          ...(known === null ? {} : { fixed }),
          parameters: names,
          outputs,
        });
        for (const [id, values] of calls) {
          const parameters = new Map<string, ParameterValue>([
            ...fixed,
            ...names.map((name, index) => [name, BigInt(values[index] ?? 0)] as const),
          ]);
          const whole = {
            modelName,
            modelVersion,
            id,
            parameters,
            outputs: tensors.map(({ name, shape, raw }) => ({ name, datatype: 'FP32' as const, shape, data: [raw] })),
          };
          const raws = tensors.map(({ raw }) => raw);
          expect(prepared.write(id, values, raws).equals(writeInferResponse(whole))).toBe(true);
        }
      },
    ),
  );
});

it('refuses a dimension that cannot be written', () => {
  const outputs = [{ name: 'y', datatype: 'FP32' as const, shape: [-1] }];
  expect(() => new PreparedInferResponse({ modelName: 'm', modelVersion: '1', parameters: [], outputs })).toThrow('"y"');
});
