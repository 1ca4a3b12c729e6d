import { StringDecoder } from 'node:string_decoder';

/** A line longer than this is cut: what a process prints is not ours to trust with memory. */
const maxLineLength = 16_384;

/** Cuts a byte stream into lines; what follows the last newline comes out with end(). */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #skipping = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    if (this.#rest.length > maxLineLength) {
      this.#emit(this.#rest);
      this.#rest = '';
      this.#skipping = true;
    }
  }

  end(): void {
    const last = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (last !== '') this.#emit(last);
  }

  #emit(line: string): void {
    if (this.#skipping) {
      // The tail of a line that was cut already.
      this.#skipping = false;
      return;
    }
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    this.#onLine(text.length > maxLineLength ? `${text.slice(0, maxLineLength)}...` : text);
  }
}
