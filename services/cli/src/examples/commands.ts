import type { Datatype } from '@headrace/proto';
import type { Leaf } from '../input/decode.js';
import { encodeLeaves } from '../input/encode.js';
import type { Example, ExampleTensor } from './example.js';
import { exampleJson, nest } from './example.js';

export interface ExampleCommand {
  readonly tool: 'headrace' | 'grpcurl' | 'python';
  /** To be pasted into a POSIX shell as it is; may have several lines. */
  readonly command: string;
}

export interface CommandOptions {
  /** "host:port" as a client on this machine reaches it. */
  readonly address: string;
  /** How this prompt calls the program: `npx headrace`, or node with a path. */
  readonly headrace: string;
  /** Flags for a server elsewhere than the default; starts with a blank, or is empty. */
  readonly targetFlags: string;
  /** Stores text that is too long for a command line and returns the file's name; absent where nothing may be stored. */
  readonly store?: (name: string, text: string) => string;
}

/** What is longer than this goes into a file, so that the command stays readable. */
const maxInline = 240;

export function exampleCommands(example: Example, options: CommandOptions): ExampleCommand[] {
  return [headraceCommand(example, options), grpcurlCommand(example, options), pythonCommand(example, options)];
}

export function headraceCommand(example: Example, options: CommandOptions): ExampleCommand {
  const base = `${options.headrace} infer ${quote(example.model)}`;
  if (example.file !== undefined) return { tool: 'headrace', command: `${base} --input ${quote(example.file)}${options.targetFlags}` };
  const json = exampleJson(example);
  if (json.length <= maxInline) return { tool: 'headrace', command: `echo ${quote(json)} | ${base} --input -${options.targetFlags}` };
  const file = options.store?.(`${fileName(example.model)}.json`, json);
  return { tool: 'headrace', command: `${base} ${file === undefined ? '--random' : `--input ${quote(file)}`}${options.targetFlags}` };
}

function grpcurlCommand(example: Example, options: CommandOptions): ExampleCommand {
  const json = JSON.stringify(grpcurlRequest(example));
  const call = `${options.address} inference.GRPCInferenceService/ModelInfer`;
  if (json.length <= 2 * maxInline || options.store === undefined)
    return { tool: 'grpcurl', command: `grpcurl -plaintext -d ${quote(json)} ${call}` };
  const file = options.store(`${fileName(example.model)}.grpcurl.json`, json);
  return { tool: 'grpcurl', command: `grpcurl -plaintext -d @ ${call} < ${quote(file)}` };
}

const contentsField: Readonly<Partial<Record<Datatype, string>>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

/** Typed contents, which a person can read and change; raw ones for all where one datatype has no typed form (FP16, BF16). */
function grpcurlRequest(example: Example): unknown {
  const typed = example.tensors.every(({ datatype }) => contentsField[datatype] !== undefined);
  return {
    model_name: example.model,
    inputs: example.tensors.map(({ name, datatype, shape, leaves }) => ({
      name,
      datatype,
      shape,
      ...(typed ? { contents: { [contentsField[datatype] ?? '']: leaves.map((leaf) => protoJson(leaf, datatype)) } } : {}),
    })),
    ...(typed ? {} : { raw_input_contents: example.tensors.map((tensor) => rawOf(tensor).toString('base64')) }),
  };
}

/** Bytes are base64 in the JSON form of protobuf. */
function protoJson(leaf: Leaf, datatype: Datatype): Leaf {
  if (datatype !== 'BYTES') return leaf;
  return typeof leaf === 'object' ? leaf.b64 : Buffer.from(String(leaf), 'utf8').toString('base64');
}

function rawOf({ leaves, datatype, shape, name }: ExampleTensor): Buffer {
  return encodeLeaves(leaves, datatype, shape, name);
}

const numpyType: Readonly<Record<Datatype, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  // tritonclient takes float32 and cuts it.
  BF16: 'float32',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'object',
};

function pythonCommand(example: Example, options: CommandOptions): ExampleCommand {
  const whole = exampleJson(example);
  const file = whole.length > 2 * maxInline ? options.store?.(`${fileName(example.model)}.json`, whole) : undefined;
  const lines = [
    "python3 - <<'EOF'",
    `import ${file === undefined ? '' : 'json, '}numpy as np, tritonclient.grpc as triton`,
    ...(file === undefined ? [] : [`data = json.load(open(${JSON.stringify(file)}))`]),
    'inputs = []',
    ...example.tensors.flatMap((tensor) => [
      `inputs.append(triton.InferInput(${JSON.stringify(tensor.name)}, [${tensor.shape.join(', ')}], "${tensor.datatype}"))`,
      `inputs[-1].set_data_from_numpy(np.array(${pythonValue(tensor, file)}, dtype=${pythonDtype(tensor.datatype)})${reshape(tensor)})`,
    ]),
    `reply = triton.InferenceServerClient(${JSON.stringify(options.address)}).infer(${JSON.stringify(example.model)}, inputs)`,
    'for output in reply.get_response().outputs:',
    '    print(output.name, reply.as_numpy(output.name))',
    'EOF',
  ];
  return { tool: 'python', command: lines.join('\n') };
}

/** Nested lists cannot tell the size of what is inside an empty list. */
function reshape(tensor: ExampleTensor): string {
  return tensor.shape.includes(0) || tensor.shape.length === 0 ? `.reshape([${tensor.shape.join(', ')}])` : '';
}

function pythonDtype(datatype: Datatype): string {
  const name = numpyType[datatype];
  return name === 'object' || name === 'bool' ? name : `np.${name}`;
}

function pythonValue(tensor: ExampleTensor, file: string | undefined): string {
  if (file !== undefined) return `data[${JSON.stringify(tensor.name)}]`;
  return pythonLiteral(nest(tensor.leaves, tensor.shape), tensor.datatype);
}

function pythonLiteral(value: ReturnType<typeof nest>, datatype: Datatype): string {
  if (Array.isArray(value)) return `[${value.map((item) => pythonLiteral(item as ReturnType<typeof nest>, datatype)).join(', ')}]`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  // Large integers come as text so that no digit is lost; Python reads them bare.
  if (typeof value === 'string' && datatype !== 'BYTES') return /^-?\d+$/.test(value) ? value : `float(${JSON.stringify(value)})`;
  return JSON.stringify(value);
}

function fileName(model: string): string {
  return model.replace(/[^A-Za-z0-9_.-]/g, '_');
}

/** For a POSIX shell: bare where nothing needs quotes, else in single quotes. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
