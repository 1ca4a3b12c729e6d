import { HpackError } from './errors.js';
import { codeLengths, codes, endOfString, shortestCodeBits } from './huffman-code.js';
import { latin1Text } from './latin1.js';

/*
 * The code's tree read four bits at a time. It is full: 257 leaves, thus 256 inner nodes, and a node's number fits an octet.
 * No code is shorter than five bits, so four bits complete one symbol at most:
 *
 *     steps[node * 16 + nibble] =  | next node : 8 | 0 | emits : 1 | symbol : 8 |        -1: the end of the string was spelled out
 *                                    bits 16-23          bit 8       bits 0-7
 *
 * 4,096 steps of 4 octets: 16 KiB, which stay in the first-level cache. A step per octet would need 256 KiB, which do not.
 */
interface Automaton {
  readonly steps: Int32Array;
  /** 1 where a text may end: the bits since the last symbol are at most seven and all ones. */
  readonly mayEnd: Uint8Array;
}

const emits = 0x100;
let built: Automaton | undefined;

/** Where texts are put together, for all decoders of this thread: decoding is never interrupted. */
const scratch = Buffer.allocUnsafeSlow(4096);

/** The text in bytes[start, end). Throws HpackError where RFC 7541 5.2 has a decoding error. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  built ??= buildAutomaton();
  const { steps, mayEnd } = built;
  const longest = Math.floor(((end - start) * 8) / shortestCodeBits);
  // A long text gets room of its own, which is not kept: a peer must not make this process hold it.
  const target = longest <= scratch.length ? scratch : Buffer.allocUnsafeSlow(longest);
  let length = 0;
  let node = 0;
  for (let at = start; at < end; at += 1) {
    const octet = bytes[at] as number;
    const high = steps[(node << 4) | (octet >>> 4)] as number;
    if (high < 0) throw endOfStringInside();
    if ((high & emits) !== 0) {
      target[length] = high;
      length += 1;
    }
    const low = steps[((high >>> 12) & 0xff0) | (octet & 0xf)] as number;
    if (low < 0) throw endOfStringInside();
    if ((low & emits) !== 0) {
      target[length] = low;
      length += 1;
    }
    node = low >>> 16;
  }
  if (mayEnd[node] !== 1) throw new HpackError('a Huffman text ends in padding that is longer than 7 bits or not all ones');
  return latin1Text(target, 0, length);
}

function endOfStringInside(): HpackError {
  return new HpackError('a Huffman text contains the end-of-string symbol');
}

/** children[node * 2 + bit]: an inner node's number, or -1 - symbol for a leaf. Node 0 is the root. */
function buildTree(): Int32Array {
  const children = new Int32Array(2 * endOfString);
  let nodes = 1;
  for (let symbol = 0; symbol <= endOfString; symbol += 1) {
    const code = codes[symbol] as number;
    let node = 0;
    for (let bit = (codeLengths[symbol] as number) - 1; bit > 0; bit -= 1) {
      const slot = node * 2 + ((code >>> bit) & 1);
      // 0 is the root, which is nobody's child: the slot is empty.
      if (children[slot] === 0) {
        children[slot] = nodes;
        nodes += 1;
      }
      node = children[slot] as number;
    }
    children[node * 2 + (code & 1)] = -1 - symbol;
  }
  return children;
}

function buildAutomaton(): Automaton {
  const children = buildTree();
  const steps = new Int32Array(endOfString * 16);
  for (let at = 0; at < steps.length; at += 1) steps[at] = stepOf(children, at >>> 4, at & 0xf);
  const mayEnd = new Uint8Array(endOfString);
  for (let depth = 0, node = 0; depth <= 7; depth += 1) {
    mayEnd[node] = 1;
    node = children[node * 2 + 1] as number;
  }
  return { steps, mayEnd };
}

function stepOf(children: Int32Array, from: number, nibble: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const child = children[node * 2 + ((nibble >>> bit) & 1)] as number;
    if (child >= 0) {
      node = child;
      continue;
    }
    const symbol = -1 - child;
    if (symbol === endOfString) return -1;
    emitted = emits | symbol;
    node = 0;
  }
  return (node << 16) | emitted;
}
