import { decodeString } from '../wire-format/text.js';
import { textSize } from '../wire-format/writer.js';
import type { ByteRange, InferRequestView } from './request.js';
import type { RequestMarks } from './scan-request.js';

/** A form longer than this, or of more parts, is not worth comparing byte by byte, nor keeping. */
const maxSkeletonBytes = 1024;
const maxParts = 32;

/**
 * What a ModelInferRequest says besides its id and its tensors' raw bytes: the skeleton of the message.
 *
 *     message:   | model_name, version | id | parameters, inputs, outputs | raw 0 | tag, length | raw 1 |
 *     skeleton:  |#####################|    |#############################|       |#############|       |
 *
 * The reader goes from field to field by the bytes of the skeleton alone, so a message of the same length with the same skeleton
 * in the same places reads the same but for the id, which must still be UTF-8. A client sends the same form over and over:
 * comparing a hundred bytes replaces reading them, and whatever follows from a form is worked out once (a WeakMap by form).
 */
export class RequestForm {
  readonly #view: InferRequestView;
  readonly #length: number;
  readonly #id: ByteRange;
  /** Half-open ranges of the message, flat: start, end, start, end ... */
  readonly #ranges: readonly number[];
  /** Their bytes, one after the other. */
  readonly #skeleton: Uint8Array;

  private constructor(view: InferRequestView, id: ByteRange, ranges: readonly number[], skeleton: Uint8Array) {
    // Not the message itself, which would be kept alive.
    this.#view = { ...view, bytes: Buffer.alloc(0), id: '' };
    this.#length = view.bytes.length;
    this.#id = id;
    this.#ranges = ranges;
    this.#skeleton = skeleton;
  }

  /** Undefined for messages that are not worth it: typed contents, an id given twice, long descriptions. */
  static of(view: InferRequestView, { ids, idEnd, raws }: RequestMarks): RequestForm | undefined {
    const { bytes } = view;
    if (view.inputs.length + view.outputs.length + view.parameters.size + raws.length > maxParts) return undefined;
    if (ids > 1 || view.inputs.some(({ contents }) => contents.length > 0)) return undefined;
    const id = ids === 0 ? { start: 0, end: 0 } : { start: idEnd - textSize(view.id), end: idEnd };
    const free = [...raws, id].toSorted((left, right) => left.start - right.start);
    const ranges: number[] = [];
    let size = 0;
    let from = 0;
    for (const { start, end } of [...free, { start: bytes.length, end: bytes.length }]) {
      if (start > from) {
        ranges.push(from, start);
        size += start - from;
      }
      from = end;
    }
    if (size > maxSkeletonBytes) return undefined;
    const skeleton = new Uint8Array(size);
    let at = 0;
    for (let index = 0; index < ranges.length; index += 2) {
      skeleton.set(bytes.subarray(ranges[index], ranges[index + 1]), at);
      at += (ranges[index + 1] as number) - (ranges[index] as number);
    }
    return new RequestForm(view, id, ranges, skeleton);
  }

  /** The message's view, if it has this form. All but `bytes` and `id` is shared by all requests of the form. */
  view(bytes: Buffer): InferRequestView | undefined {
    const ranges = this.#ranges;
    const skeleton = this.#skeleton;
    if (bytes.length !== this.#length) return undefined;
    let at = 0;
    for (let index = 0; index < ranges.length; index += 2) {
      const end = ranges[index + 1] as number;
      for (let position = ranges[index] as number; position < end; position++) {
        if (bytes[position] !== skeleton[at++]) return undefined;
      }
    }
    const id = this.#id.start === this.#id.end ? '' : decodeString(bytes, this.#id.start, this.#id.end);
    // The reader says what is wrong with it.
    if (id === undefined) return undefined;
    const { modelName, modelVersion, parameters, inputs, outputs, rawInputCount } = this.#view;
    return { bytes, modelName, modelVersion, id, parameters, inputs, outputs, rawInputCount, form: this };
  }
}
