import type { Random } from './random.js';

const names = ['x', 'history', 'a rather long tensor name, longer than any short path', 'größe', '入力'];
const int64s = [0n, 1n, -1n, 127n, 128n, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n];
const uint64s = [0n, 1n, 300n, 2n ** 63n, 2n ** 64n - 1n];
const floats = [0, -0, 1.5, -2.25, Infinity, -Infinity, NaN];

function several<T>(random: Random, most: number, make: () => T): T[] {
  return Array.from({ length: random.below(most + 1) }, make);
}

/** Fields of a random InferParameter map, as the independent encoder takes them. */
function parameters(random: Random): Record<string, unknown> {
  const choices = [
    { case: 'boolParam', value: random.chance(0.5) },
    { case: 'int64Param', value: random.pick(int64s) },
    { case: 'stringParam', value: random.pick(['', 'a', 'Grüße']) },
    { case: 'doubleParam', value: random.pick(floats) },
    { case: 'uint64Param', value: random.pick(uint64s) },
    { case: undefined },
  ];
  return Object.fromEntries(
    several(random, 3, () => [
      random.pick(['priority', 'timeout', 'ключ', '', 'shared_memory_region']),
      { parameterChoice: random.pick(choices) },
    ]),
  );
}

function contents(random: Random): { datatype: string; contents: Record<string, unknown> } {
  const elements = <T>(choices: readonly T[]): T[] => several(random, 5, () => random.pick(choices));
  return random.pick([
    () => ({ datatype: 'BOOL', contents: { boolContents: elements([true, false]) } }),
    () => ({ datatype: 'INT8', contents: { intContents: elements([-128, -1, 0, 127]) } }),
    () => ({ datatype: 'INT16', contents: { intContents: elements([-32_768, -1, 0, 32_767]) } }),
    () => ({ datatype: 'INT32', contents: { intContents: elements([-(2 ** 31), -1, 0, 2 ** 31 - 1]) } }),
    () => ({ datatype: 'INT64', contents: { int64Contents: elements(int64s) } }),
    () => ({ datatype: 'UINT8', contents: { uintContents: elements([0, 1, 255]) } }),
    () => ({ datatype: 'UINT16', contents: { uintContents: elements([0, 1, 65_535]) } }),
    () => ({ datatype: 'UINT32', contents: { uintContents: elements([0, 1, 2 ** 32 - 1]) } }),
    () => ({ datatype: 'UINT64', contents: { uint64Contents: elements(uint64s) } }),
    () => ({ datatype: 'FP32', contents: { fp32Contents: elements(floats) } }),
    () => ({ datatype: 'FP64', contents: { fp64Contents: elements(floats) } }),
    () => ({ datatype: 'BYTES', contents: { bytesContents: elements([Buffer.alloc(0), Buffer.from([0, 255]), Buffer.from('word')]) } }),
  ])();
}

/** Fields of a random, valid request or response, for the independent encoder. */
export function randomMessage(random: Random, kind: 'request' | 'response'): Record<string, unknown> {
  const raw = random.chance(0.5);
  const tensors = several(random, 3, () => ({
    name: random.pick(names),
    shape: several(random, 4, () => random.pick([0n, 1n, 8n, 1024n, 2n ** 31n, 2n ** 53n - 1n])),
    parameters: parameters(random),
    ...(raw ? { datatype: random.pick(['FP32', 'INT64', 'BYTES', 'FP16', 'BF16']) } : contents(random)),
  }));
  const raws = raw ? tensors.map(() => Buffer.alloc(random.below(40), random.below(256))) : [];
  const common = {
    modelName: random.pick(['ranker', 'Modell-ß', '']),
    modelVersion: random.pick(['', '3']),
    id: random.pick(['', 'request-17']),
    parameters: parameters(random),
  };
  if (kind === 'response') return { ...common, outputs: tensors, rawOutputContents: raws };
  return {
    ...common,
    inputs: tensors,
    rawInputContents: raws,
    outputs: several(random, 2, () => ({ name: random.pick(names), parameters: parameters(random) })),
  };
}
