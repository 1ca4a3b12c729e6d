import { Duplex } from 'node:stream';

/** A socket whose writes are taken only when a test says so. Chunks are kept as they were handed over, not copied. */
export class HeldSocket extends Duplex {
  readonly writes: Buffer[][] = [];
  #release: (() => void)[] = [];
  /** Takes all at once. */
  open = true;
  ended = false;
  /** Keeps copies: slabs are used again once they are taken. */
  copies = false;

  override _read(): void {
    // Tests push.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#took([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#took(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.ended = true;
    done();
  }

  /** The bytes as they are now. */
  get bytes(): Buffer {
    return Buffer.concat(this.writes.flat());
  }

  /** Takes what was held, and all that follows from it. */
  release(): void {
    this.open = true;
    for (const done of this.#release.splice(0)) done();
  }

  #took(chunks: Buffer[], done: () => void): void {
    this.writes.push(this.copies ? chunks.map((chunk) => Buffer.from(chunk)) : chunks);
    if (this.open) done();
    else this.#release.push(done);
  }
}

/** Until everything that is due in this turn and the next has run. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
}
