import { huffmanBytes, writeHuffman } from './huffman-encode.js';
import { writeInteger } from './integer.js';
import { writeLatin1 } from './latin1.js';

/** Writes a string literal (RFC 7541 5.2), in the Huffman code where that is shorter. Throws TypeError if the text is not latin1. */
export function writeText(target: Buffer, start: number, text: string): number {
  const coded = huffmanBytes(text);
  if (coded >= text.length) return writePlainText(target, start, text);
  return writeHuffman(target, writeInteger(target, start, 0x80, 0x7f, coded), text);
}

/** The same without the Huffman code, for texts that are sent once. */
export function writePlainText(target: Buffer, start: number, text: string): number {
  return writeLatin1(target, writeInteger(target, start, 0, 0x7f, text.length), text);
}
