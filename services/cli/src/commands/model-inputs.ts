import type { TensorToWrite } from '@headrace/proto';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { positiveInteger } from '../client/target.js';
import type { Io } from '../io.js';
import { usageFailure } from '../failure.js';
import { randomInputs, seededRandom } from '../input/random.js';
import { readInput } from '../input/read-input.js';
import type { RequestBody } from '../input/request.js';
import { requestOf } from '../input/request.js';
import type { ModelSpec } from '../input/tensor-spec.js';
import { describeShape, hasRowDimension } from '../input/tensor-spec.js';

/** Flags that say what to send; infer and bench share them. */
export interface InputFlags {
  readonly input?: string;
  readonly random?: boolean;
  readonly rows: number;
  readonly shape: readonly ShapeFlag[];
  readonly intRange: readonly [number, number];
  readonly seed: number;
}

interface ShapeFlag {
  readonly input: string;
  readonly shape: readonly number[];
}

export function withInputFlags(command: Command): Command {
  return command
    .optionsGroup('What to send:')
    .option('--input <file>', 'JSON file, or - for standard input: OIP JSON or {"input": nested list}')
    .option('--rows <n>', 'random inputs: rows in each request', positiveInteger, 1)
    .addOption(
      new Option('--shape <input=dims>', 'random inputs: shape of one input, e.g. history=1,20 (repeatable)')
        .argParser(collectShape)
        .default([], 'as the model says'),
    )
    .addOption(
      new Option('--int-range <min:max>', "random inputs: range of integers (ids past a model's table are errors)")
        .argParser(parseRange)
        .default([0, 1], '0:1'),
    )
    .option('--seed <n>', 'random inputs: seed', Number, 1);
}

export async function readRequest(flags: InputFlags, spec: ModelSpec, io: Io): Promise<RequestBody> {
  if (flags.input !== undefined) return requestOf(await readInput(flags.input, io), spec);
  return { id: '', parameters: new Map(), outputs: [], inputs: drawInputs(flags, spec, seededRandom(flags.seed)) };
}

export function drawInputs(flags: InputFlags, spec: ModelSpec, random: () => number): TensorToWrite[] {
  const unknown = flags.shape.find((given) => !spec.inputs.some((input) => input.name === given.input));
  if (unknown !== undefined) {
    throw usageFailure(
      `--shape ${unknown.input}: model ${spec.name} has no such input`,
      `its inputs: ${spec.inputs.map((input) => `${input.name} ${describeShape(input.shape)}`).join(', ')}`,
    );
  }
  if (flags.rows > 1 && !hasRowDimension(spec.inputs))
    throw usageFailure(`--rows ${flags.rows}: model ${spec.name} has no open first dimension`);
  return randomInputs(spec, {
    rows: flags.rows,
    openDim: 4,
    shapes: new Map(flags.shape.map(({ input, shape }) => [input, shape])),
    integers: flags.intRange,
    random,
  });
}

function collectShape(text: string, before: readonly ShapeFlag[] = []): readonly ShapeFlag[] {
  const cut = text.lastIndexOf('=');
  const dims =
    cut < 0
      ? []
      : text
          .slice(cut + 1)
          .split(',')
          .map(Number);
  if (cut < 1 || dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0))
    throw new InvalidArgumentError('Expected input=dim,dim,... such as history=1,20.');
  return [...before, { input: text.slice(0, cut), shape: dims }];
}

function parseRange(text: string): readonly [number, number] {
  const match = /^(-?\d+):(-?\d+)$/.exec(text);
  const low = Number(match?.[1]);
  const high = Number(match?.[2]);
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low > high)
    throw new InvalidArgumentError('Expected min:max such as 1:1682.');
  return [low, high];
}
