import { writeInferRequest, writeInferResponse } from '@headrace/proto';

/** What the echo server calls its model. */
export const echoModel = 'echo';
/** The messages of the echo benchmarks, without gRPC's 5 bytes of framing. */
export const echoBytes = 200;
/** Of the model's only input, so that a request has `echoBytes` bytes. */
export const echoInput = { name: 'x', datatype: 'UINT8', rowBytes: 174 } as const;
const output = { name: 'y', datatype: 'UINT8', shape: [1, 1], data: [Uint8Array.of(1)] } as const;

/** A ModelInferRequest of `echoBytes` bytes. */
export function echoInferRequest(): Buffer {
  const { name, datatype, rowBytes } = echoInput;
  const input = { name, datatype, shape: [1, rowBytes], data: [new Uint8Array(rowBytes).fill(7)] };
  return writeInferRequest({ modelName: echoModel, modelVersion: '', id: '', parameters: new Map(), inputs: [input], outputs: [] });
}

/** The one ModelInferResponse of the echo server, whatever was asked. */
export function echoInferResponse(): Buffer {
  return writeInferResponse({ modelName: echoModel, modelVersion: '1', id: '', parameters: new Map(), outputs: [output] });
}
