import { WireWriter, delimitedSize, stringFieldSize, textSize, varintSize } from '../wire-format/writer.js';
import type { ParameterValue, TensorToWrite } from './request.js';
import { parametersSize, tensorHeadersSize, writeParameters, writeStringField, writeTensors } from './write-parts.js';

/** What is the same in all responses of a kind. */
export interface ResponsePattern {
  readonly modelName: string;
  readonly modelVersion: string;
  /** Parameters whose values are known. */
  readonly fixed?: ReadonlyMap<string, ParameterValue>;
  /** Integer parameters after them, in the order in which `write` gets their values. */
  readonly parameters: readonly string[];
  readonly outputs: readonly Pick<TensorToWrite, 'name' | 'datatype' | 'shape' | 'parameters'>[];
}

/**
 * A ModelInferResponse of which all but id, some integer parameters and the tensors' bytes is written once; byte for byte what
 * writeInferResponse writes.
 *
 *     | name, version | id | fixed parameters | parameter 0 | ... | tensor headers | raw 0 | raw 1 | ...
 *      ^ kept bytes          ^ kept bytes       ^ kept name         ^ kept bytes
 */
export class PreparedInferResponse {
  readonly #head: Uint8Array;
  readonly #fixed: Uint8Array;
  /** The entry's key field of each parameter. */
  readonly #keys: readonly Uint8Array[];
  readonly #tensors: Uint8Array;

  /** Throws a RangeError when a dimension is not in [0, 2^53) or a fixed integer has more than 64 bits. */
  constructor({ modelName, modelVersion, fixed, parameters, outputs }: ResponsePattern) {
    const head = new WireWriter(stringFieldSize(modelName) + stringFieldSize(modelVersion));
    writeStringField(head, 0x0a, modelName);
    writeStringField(head, 0x12, modelVersion);
    this.#head = Uint8Array.from(head.finish());
    const entries = new WireWriter(fixed === undefined ? 0 : parametersSize(fixed));
    if (fixed !== undefined) writeParameters(entries, 0x22, fixed);
    this.#fixed = Uint8Array.from(entries.finish());
    this.#keys = parameters.map((name) => {
      const size = textSize(name);
      const key = new WireWriter(delimitedSize(size));
      key.string(0x0a, name, size);
      return Uint8Array.from(key.finish());
    });
    const tensors = outputs.map((output) => ({ ...output, data: [] }));
    const writer = new WireWriter(tensorHeadersSize(tensors));
    writeTensors(writer, 0x2a, tensors);
    this.#tensors = Uint8Array.from(writer.finish());
  }

  /** `values`: from 0 to 2^53 - 1, one for each parameter; `raws`: one for each output. Raw bytes are copied once, into the message. */
  write(id: string, values: readonly number[], raws: readonly Uint8Array[]): Buffer {
    const idSize = id === '' ? 0 : textSize(id);
    let size = this.#head.length + this.#fixed.length + this.#tensors.length + (id === '' ? 0 : delimitedSize(idSize));
    for (let index = 0; index < this.#keys.length; index++) size += delimitedSize(this.#entrySize(index, values[index] as number));
    for (const raw of raws) size += delimitedSize(raw.byteLength);
    const writer = new WireWriter(size);
    writer.raw(this.#head);
    if (id !== '') writer.string(0x1a, id, idSize);
    if (this.#fixed.length > 0) writer.raw(this.#fixed);
    for (let index = 0; index < this.#keys.length; index++) {
      const value = values[index] as number;
      writer.varint(0x22);
      writer.varint(this.#entrySize(index, value));
      writer.raw(this.#keys[index] as Uint8Array);
      // value: InferParameter { int64_param }
      writer.varint(0x12);
      writer.varint(1 + varintSize(value));
      writer.varint(0x10);
      writer.varint(value);
    }
    writer.raw(this.#tensors);
    for (const raw of raws) {
      writer.varint(0x32);
      writer.varint(raw.byteLength);
      writer.raw(raw);
    }
    return writer.finish();
  }

  #entrySize(index: number, value: number): number {
    return (this.#keys[index] as Uint8Array).length + delimitedSize(1 + varintSize(value));
  }
}
