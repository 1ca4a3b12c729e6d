/** Wrong input of a trace: says where, what was expected and what came. */
export class TraceProblem extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'TraceProblem';
    this.line = line;
  }
}

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Far more than any row of a trace; a file without line ends must not fill the memory. */
const maxLineLength = 65_536;

/** Cuts text that comes in pieces into lines, without their ends; holds one unfinished line at most. */
export class LineReader {
  #rest = '';
  #number = 0;

  /** Throws a TraceProblem at a line that is too long. */
  *push(piece: string): Generator<Line> {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      const text = this.#rest + piece.slice(from, end);
      this.#rest = '';
      from = end + 1;
      yield this.#line(text);
    }
    this.#rest += piece.slice(from);
    if (this.#rest.length > maxLineLength) this.#line(this.#rest);
  }

  *end(): Generator<Line> {
    if (this.#rest !== '') yield this.#line(this.#rest);
    this.#rest = '';
  }

  #line(text: string): Line {
    this.#number += 1;
    if (text.length > maxLineLength)
      throw new TraceProblem(this.#number, `expected at most ${maxLineLength} characters: is this a text file with a row on each line?`);
    return { number: this.#number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  }
}
