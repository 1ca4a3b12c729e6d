import type { Datatype, OutputView, ParameterValue } from '@headrace/proto';
import { decodeContents, isDatatype, reportParameter, scanInferResponse } from '@headrace/proto';
import { exitCode } from '../exit-code.js';
import { CliFailure, messageOf } from '../failure.js';
import type { Leaf } from '../input/decode.js';
import { decodeElements } from '../input/decode.js';
import type { DecodedTensor } from '../render/tensors.js';

export interface InferReply {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly outputs: readonly DecodedTensor[];
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  /** What the run cost, where the server says so. */
  readonly run: RunReport | undefined;
}

export interface RunReport {
  readonly runMs: number;
  readonly rows: number;
  readonly queueMs: number;
}

/** Bytes of a ModelInferResponse -> values. Throws a CliFailure naming the output that makes no sense. */
export function parseReply(bytes: Buffer): InferReply {
  const scanned = scanInferResponse(bytes);
  if (!scanned.ok) throw badReply(scanned.message);
  const { view } = scanned;
  return {
    modelName: view.modelName,
    modelVersion: view.modelVersion,
    id: view.id,
    parameters: view.parameters,
    outputs: view.outputs.map((output) => decodeOutput(bytes, output)),
    run: runReport(view.parameters),
  };
}

function decodeOutput(bytes: Buffer, output: OutputView): DecodedTensor {
  const { name, datatype, shape } = output;
  if (!isDatatype(datatype)) throw badReply(`output ${name} has the unknown datatype ${JSON.stringify(datatype)}`);
  let raw: Buffer;
  if (output.raw !== undefined) raw = bytes.subarray(output.raw.start, output.raw.end);
  else {
    const decoded = decodeContents(bytes, output.contents, datatype);
    if (!decoded.ok) throw badReply(`output ${name}: ${decoded.message}`);
    raw = decoded.raw;
  }
  const leaves = decodeLeaves(raw, datatype, name);
  const expected = shape.reduce((product, dim) => product * dim, 1);
  if (leaves.length !== expected)
    throw badReply(`output ${name} of shape [${shape.join(', ')}] should have ${expected} elements, and has ${leaves.length}`);
  return { name, datatype, shape, leaves };
}

function decodeLeaves(raw: Buffer, datatype: Datatype, name: string): Leaf[] {
  try {
    return decodeElements(raw, datatype);
  } catch (error) {
    throw badReply(`output ${name}: ${messageOf(error)}`);
  }
}

function runReport(parameters: ReadonlyMap<string, ParameterValue>): RunReport | undefined {
  const runUs = Number(parameters.get(reportParameter.runUs));
  if (!Number.isFinite(runUs)) return undefined;
  const queueUs = Number(parameters.get(reportParameter.queueUs) ?? 0);
  return { runMs: runUs / 1000, rows: Number(parameters.get(reportParameter.runRows) ?? 1), queueMs: queueUs / 1000 };
}

function badReply(message: string): CliFailure {
  return new CliFailure(`the server's reply makes no sense: ${message}`, { exitCode: exitCode.failed, reason: 'BACKEND_PROTOCOL' });
}
