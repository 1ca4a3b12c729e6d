/** Tokens of protobuf's text format (protobuf.dev/reference/protobuf/textformat-spec). */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: Position }
  | { readonly kind: 'number'; readonly text: string; readonly at: Position }
  | { readonly kind: 'string'; readonly bytes: Buffer; readonly at: Position }
  | { readonly kind: 'sign'; readonly text: string; readonly at: Position }
  | { readonly kind: 'end'; readonly at: Position };

export interface Position {
  readonly line: number;
  readonly column: number;
}

export class TextFormatError extends Error {
  constructor(at: Position, problem: string) {
    super(`line ${at.line}, column ${at.column}: ${problem}`);
  }
}

const blank = /(?:[ \t\r\n\f\v]|#[^\n]*)*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?)/y;
const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  let line = 1;
  let lineStart = 0;

  const match = (pattern: RegExp): string => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0] ?? '';
  };
  const here = (): Position => ({ line, column: offset - lineStart + 1 });
  const advance = (consumed: string): void => {
    for (let index = consumed.indexOf('\n'); index >= 0; index = consumed.indexOf('\n', index + 1)) {
      line++;
      lineStart = offset + index + 1;
    }
    offset += consumed.length;
  };

  for (;;) {
    advance(match(blank));
    const at = here();
    const first = text[offset];
    if (first === undefined) return [...tokens, { kind: 'end', at }];
    if (first === '"' || first === "'") {
      const source = stringSource(text, offset, at);
      tokens.push({ kind: 'string', bytes: unescape(source.slice(1, -1), at), at });
      advance(source);
      continue;
    }
    const name = match(word);
    const digits = name === '' ? match(number) : '';
    if (name !== '') tokens.push({ kind: 'word', text: name, at });
    else if (digits !== '') tokens.push({ kind: 'number', text: digits, at });
    else if ('{}<>[]:,;-'.includes(first)) tokens.push({ kind: 'sign', text: first, at });
    else throw new TextFormatError(at, `unexpected character ${JSON.stringify(first)}`);
    advance(name || digits || first);
  }
}

function stringSource(text: string, start: number, at: Position): string {
  const quote = text[start];
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === '\n') break;
    else if (character === quote) return text.slice(start, index + 1);
  }
  throw new TextFormatError(at, 'the string is not closed on its line');
}

function unescape(source: string, at: Position): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; index < source.length;) {
    const slash = source.indexOf('\\', index);
    if (slash !== index) {
      const end = slash < 0 ? source.length : slash;
      parts.push(Buffer.from(source.slice(index, end), 'utf8'));
      index = end;
      continue;
    }
    const octal = /^\\([0-7]{1,3})/.exec(source.slice(index, index + 4));
    const hex = /^\\[xX]([0-9a-fA-F]{1,2})/.exec(source.slice(index, index + 4));
    const unicode = /^\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(source.slice(index, index + 10));
    const simple = simpleEscapes[source[index + 1] ?? ''];
    if (octal) parts.push(Buffer.from([Number.parseInt(octal[1] ?? '', 8) & 0xff]));
    else if (hex) parts.push(Buffer.from([Number.parseInt(hex[1] ?? '', 16)]));
    else if (unicode) parts.push(Buffer.from(codePoint(Number.parseInt(unicode[1] ?? unicode[2] ?? '', 16), at), 'utf8'));
    else if (simple !== undefined) parts.push(Buffer.from([simple]));
    else throw new TextFormatError(at, `unknown escape \\${source[index + 1] ?? ''} in a string`);
    index += (octal ?? hex ?? unicode)?.[0].length ?? 2;
  }
  return Buffer.concat(parts);
}

function codePoint(value: number, at: Position): string {
  if (value > 0x10ffff) throw new TextFormatError(at, 'an escape names no Unicode character');
  return String.fromCodePoint(value);
}
