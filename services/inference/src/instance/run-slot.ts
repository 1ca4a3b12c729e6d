import type { RunResult } from './session.js';
import type { TensorInTransit } from './protocol.js';

/** What the serving thread lays down for a run. */
export interface SlotRun {
  readonly session: number;
  readonly inputs: readonly TensorInTransit[];
  /** Indices into the signature's outputs. */
  readonly outputs: readonly number[];
}

/** Enough for 256 numbers beside the bytes: some sixty tensors of rank 2. */
const words = 256;
const wordBytes = words * Float64Array.BYTES_PER_ELEMENT;
/**
 * For the inputs, and as much again for the outputs. Bytes that pass through here are copied twice each way. Measured: with
 * 8 KiB nothing is slower than a transfer, with 64 KiB batches of large rows were (docs/design/0008).
 */
export const slotTensorBytes = 8 * 1024;

/**
 * Memory that the serving thread and one worker thread share: one run, there and back, without a message that has to be
 * put together, serialized and taken apart. What goes through the port is a number.
 *
 *     | numbers: session, which outputs, lengths and shapes | bytes of the inputs | bytes of the outputs |
 *     |   the answer writes over them: times, lengths, ...  |  each tensor from an address divisible by 8  |
 *
 * Never both threads at once: the memory is the worker's from the message that announces a run until its answer, and the
 * host's at all other times. The port's own lock makes one thread's writes visible to the other.
 */
export class RunSlot {
  readonly memory: SharedArrayBuffer;
  readonly #words: Float64Array;
  readonly #inputBytes: Uint8Array;
  readonly #outputBytes: Uint8Array;
  #scratch: Uint8Array<ArrayBuffer> | undefined;

  constructor(memory = new SharedArrayBuffer(wordBytes + 2 * slotTensorBytes)) {
    this.memory = memory;
    this.#words = new Float64Array(memory, 0, words);
    this.#inputBytes = new Uint8Array(memory, wordBytes, slotTensorBytes);
    this.#outputBytes = new Uint8Array(memory, wordBytes + slotTensorBytes, slotTensorBytes);
  }

  /** Host: false when the run does not fit; the slot holds nothing then. */
  putRun({ session, inputs, outputs }: SlotRun): boolean {
    if (!fits(inputs, 2 + outputs.length)) return false;
    this.#words[0] = session;
    this.#words[1] = outputs.length;
    let at = 2;
    for (const output of outputs) this.#words[at++] = output;
    this.#putTensors(at, inputs, this.#inputBytes);
    return true;
  }

  /** Worker: the inputs lie in memory that the next call writes over, as onnxruntime-node refuses shared memory. */
  takeRun(): SlotRun {
    const scratch = (this.#scratch ??= new Uint8Array(slotTensorBytes));
    const { session, outputs, at } = this.#takeHead();
    const inputs: TensorInTransit[] = [];
    const end = this.#takeTensors(at, inputs, scratch.buffer);
    scratch.set(this.#inputBytes.subarray(0, end));
    return { session, inputs, outputs };
  }

  /** Worker: false when the outputs do not fit. */
  putResult({ outputs, inputNs, runNs, outputNs }: RunResult): boolean {
    if (!fits(outputs, 3)) return false;
    this.#words[0] = inputNs;
    this.#words[1] = runNs;
    this.#words[2] = outputNs;
    this.#putTensors(3, outputs, this.#outputBytes);
    return true;
  }

  /** Host: the outputs in buffers of their own, so that the slot is free again. */
  takeResult(): RunResult {
    const outputs: TensorInTransit[] = [];
    this.#takeTensors(3, outputs, undefined);
    return { inputNs: this.#word(0), runNs: this.#word(1), outputNs: this.#word(2), outputs };
  }

  #takeHead(): { readonly session: number; readonly outputs: readonly number[]; readonly at: number } {
    const outputs: number[] = [];
    const at = 2 + this.#word(1);
    for (let index = 2; index < at; index++) outputs.push(this.#word(index));
    return { session: this.#word(0), outputs, at };
  }

  #putTensors(from: number, tensors: readonly TensorInTransit[], bytes: Uint8Array): void {
    let at = from;
    let start = 0;
    this.#words[at++] = tensors.length;
    for (const { buffer, byteOffset = 0, byteLength, shape } of tensors) {
      this.#words[at++] = byteLength;
      this.#words[at++] = shape.length;
      for (const dim of shape) this.#words[at++] = dim;
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), start);
      start += aligned(byteLength);
    }
  }

  /** Into places of `whole`, or each into a buffer of its own. Gives where the last one ends. */
  #takeTensors(from: number, tensors: TensorInTransit[], whole: ArrayBuffer | undefined): number {
    let at = from;
    let start = 0;
    for (let left = this.#word(at++); left > 0; left--) {
      const byteLength = this.#word(at++);
      const shape: number[] = [];
      for (let rank = this.#word(at++); rank > 0; rank--) shape.push(this.#word(at++));
      if (whole !== undefined) tensors.push({ buffer: whole, byteOffset: start, byteLength, shape });
      else {
        const buffer = new ArrayBuffer(byteLength);
        new Uint8Array(buffer).set(this.#outputBytes.subarray(start, start + byteLength));
        tensors.push({ buffer, byteLength, shape });
      }
      start += aligned(byteLength);
    }
    return start;
  }

  #word(index: number): number {
    return this.#words[index] ?? 0;
  }
}

function fits(tensors: readonly TensorInTransit[], numbers: number): boolean {
  let bytes = 0;
  let count = numbers + 1;
  for (const { byteLength, shape } of tensors) {
    bytes += aligned(byteLength);
    count += 2 + shape.length;
    if (bytes > slotTensorBytes) return false;
  }
  return count <= words;
}

function aligned(byteLength: number): number {
  return Math.ceil(byteLength / 8) * 8;
}
