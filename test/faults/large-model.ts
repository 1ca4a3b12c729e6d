/**
 * A model of any weight without a file of that weight in the tree: onnx.proto's ModelProto, written by field number.
 *
 *     x [-1, width] --> MatMul w0 --> MatMul w1 --> ... --> y [-1, width]
 *
 * Each w is the identity, so that y is x, and holds width x width floats: e.g. width 1024 and 8 layers are 32 MiB.
 */
export interface LargeModel {
  readonly bytes: Buffer;
  /** Of the weights alone. */
  readonly weightBytes: number;
}

/** Field numbers of onnx.proto (IR version 8, opset 13). */
const model = { irVersion: 1, graph: 7, opsetImport: 8 } as const;
const opset = { version: 2 } as const;
const graph = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const node = { input: 1, output: 2, opType: 4 } as const;
const tensor = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;
const valueInfo = { name: 1, type: 2 } as const;
const type = { tensorType: 1 } as const;
const tensorType = { elemType: 1, shape: 2 } as const;
const shape = { dim: 1 } as const;
const dim = { value: 1, param: 2 } as const;
const float32 = 1;

export function largeModel(width: number, layers: number): LargeModel {
  const identity = new Float32Array(width * width);
  for (let row = 0; row < width; row++) identity[row * width + row] = 1;
  const weights = Buffer.from(identity.buffer);
  const between = (layer: number): string => (layer === 0 ? 'x' : layer === layers ? 'y' : `h${layer}`);
  const parts: Buffer[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const inputs = [text(node.input, between(layer)), text(node.input, `w${layer}`)];
    parts.push(group(graph.node, [...inputs, text(node.output, between(layer + 1)), text(node.opType, 'MatMul')]));
    const dims = [whole(tensor.dims, width), whole(tensor.dims, width), whole(tensor.dataType, float32)];
    parts.push(group(graph.initializer, [...dims, text(tensor.name, `w${layer}`), group(tensor.rawData, [weights])]));
  }
  const open = group(shape.dim, [text(dim.param, 'rows')]);
  const fixed = group(shape.dim, [whole(dim.value, width)]);
  const matrix = group(type.tensorType, [whole(tensorType.elemType, float32), group(tensorType.shape, [open, fixed])]);
  const declared = (name: string): Buffer[] => [text(valueInfo.name, name), group(valueInfo.type, [matrix])];
  parts.push(text(graph.name, 'large'), group(graph.input, declared('x')), group(graph.output, declared('y')));
  const bytes = Buffer.concat([whole(model.irVersion, 8), group(model.graph, parts), group(model.opsetImport, [whole(opset.version, 13)])]);
  return { bytes, weightBytes: layers * weights.byteLength };
}

function whole(field: number, value: number): Buffer {
  return Buffer.from([...varint(field << 3), ...varint(value)]);
}

function text(field: number, value: string): Buffer {
  return group(field, [Buffer.from(value)]);
}

/** Length-delimited: a message, a string or bytes. */
function group(field: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(length)]), ...parts]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
