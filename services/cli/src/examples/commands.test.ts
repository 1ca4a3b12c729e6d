import { describe, expect, test } from 'vitest';
import type { Datatype } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';
import { encodeLeaves } from '../input/encode.js';
import type { JsonValue } from '../input/nested.js';
import { requestOf } from '../input/request.js';
import type { ModelSpec } from '../input/tensor-spec.js';
import { exampleCommands, headraceCommand, quote } from './commands.js';
import { exampleJson, exampleTensors, hasOpenDims, nest, toExample } from './example.js';

const options = { address: '127.0.0.1:8001', headrace: 'npx headrace', targetFlags: '' };
const spec = (...inputs: ModelSpec['inputs']): ModelSpec => ({ name: 'm', versions: ['1'], platform: '', inputs, outputs: [] });

test('the three commands of a small model', () => {
  const example = toExample('ranker', [
    { name: 'history', datatype: 'INT64', shape: [1, 2], data: [encodeLeaves([50, 181], 'INT64', [1, 2], 'x')] },
  ]);
  expect(exampleCommands(example, options).map(({ command }) => command)).toEqual([
    `echo '{"history":[[50,181]]}' | npx headrace infer ranker --input -`,
    `grpcurl -plaintext -d '{"model_name":"ranker","inputs":[{"name":"history","datatype":"INT64","shape":[1,2],"contents":{"int64_contents":[50,181]}}]}' 127.0.0.1:8001 inference.GRPCInferenceService/ModelInfer`,
    `python3 - <<'EOF'
import numpy as np, tritonclient.grpc as triton
inputs = []
inputs.append(triton.InferInput("history", [1, 2], "INT64"))
inputs[-1].set_data_from_numpy(np.array([[50, 181]], dtype=np.int64))
reply = triton.InferenceServerClient("127.0.0.1:8001").infer("ranker", inputs)
for output in reply.get_response().outputs:
    print(output.name, reply.as_numpy(output.name))
EOF`,
  ]);
});

test('an example file is named instead of its contents', () => {
  const example = toExample('ranker', [], "my model's/in.json");
  expect(headraceCommand(example, { ...options, targetFlags: ' --address h:1' }).command).toBe(
    `npx headrace infer ranker --input 'my model'\\''s/in.json' --address h:1`,
  );
});

test('what is too long for a line goes into files, and every command names its own', () => {
  const stored = new Map<string, string>();
  const example = toExample('m', exampleTensors(spec({ name: 'image', datatype: 'FP32', shape: [-1, 3, 32, 32] }), 1));
  const commands = exampleCommands(example, { ...options, store: (name, text) => `/state/${stored.set(name, text).size}-${name}` }).map(
    ({ command }) => command,
  );
  expect(commands[0]).toBe('npx headrace infer m --input /state/1-m.json');
  expect(commands[1]).toBe('grpcurl -plaintext -d @ 127.0.0.1:8001 inference.GRPCInferenceService/ModelInfer < /state/2-m.grpcurl.json');
  expect(commands[2]).toContain('data = json.load(open("/state/2-m.json"))');
  expect(Object.keys(JSON.parse(stored.get('m.json') ?? '') as object)).toEqual(['image']);
});

test('without a place to store, a long input is left to --random', () => {
  const example = toExample('m', exampleTensors(spec({ name: 'image', datatype: 'FP32', shape: [-1, 3, 32, 32] }), 1));
  expect(headraceCommand(example, options).command).toBe('npx headrace infer m --random');
});

describe('the printed JSON', () => {
  test.each(Object.keys(datatypeBytes) as Datatype[])('reads back as the same %s tensor', (datatype) => {
    const model = spec({ name: 'x', datatype, shape: [-1, 2, -1] });
    const tensors = exampleTensors(model, 3);
    const back = requestOf(JSON.parse(exampleJson(toExample('m', tensors))) as JsonValue, model).inputs;
    expect(back.map(({ shape, data }) => ({ shape, data: Buffer.concat([...data]).toString('hex') }))).toEqual(
      tensors.map(({ shape, data }) => ({ shape, data: Buffer.concat([...data]).toString('hex') })),
    );
  });

  test('a zero-sized dimension keeps its shape', () => {
    const model = spec({ name: 'x', datatype: 'FP32', shape: [0, 5] });
    const back = requestOf(JSON.parse(exampleJson(toExample('m', exampleTensors(model, 3)))) as JsonValue, model).inputs;
    expect(back[0]?.shape).toEqual([0, 5]);
  });
});

test('datatypes without a typed form go raw for all inputs, since mixing is not allowed', () => {
  const model = spec({ name: 'h', datatype: 'FP16', shape: [1] }, { name: 'i', datatype: 'INT32', shape: [1] });
  const grpcurl = exampleCommands(toExample('m', exampleTensors(model, 1)), options)[1]?.command ?? '';
  expect(grpcurl).toContain('"raw_input_contents":[');
  expect(grpcurl).not.toContain('int_contents":[1');
  expect(grpcurl).not.toContain('"contents"');
});

test('nest undoes flattening', () => {
  expect(nest([1, 2, 3, 4, 5, 6], [2, 3])).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(nest([7], [])).toBe(7);
});

test('only dimensions beside the rows count as open', () => {
  expect(hasOpenDims(spec({ name: 'x', datatype: 'FP32', shape: [-1, 4] }))).toBe(false);
  expect(hasOpenDims(spec({ name: 'x', datatype: 'FP32', shape: [-1, -1] }))).toBe(true);
});

test.each([
  ['a.b/c-1', 'a.b/c-1'],
  ['two words', "'two words'"],
  ["it's", "'it'\\''s'"],
  ['$(rm -rf /)', "'$(rm -rf /)'"],
])('a shell reads %s as one plain word', (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});
