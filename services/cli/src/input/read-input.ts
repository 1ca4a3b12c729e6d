import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { Io } from '../io.js';
import { messageOf, usageFailure } from '../failure.js';
import type { JsonValue } from './nested.js';

/** Reads and parses --input; "-" is standard input. Throws a usage failure that names the file and the place. */
export async function readInput(file: string, io: Io): Promise<JsonValue> {
  const name = file === '-' ? 'standard input' : file;
  const text = file === '-' ? await io.readStdin() : await readText(resolve(io.cwd, file), file);
  return parseJson(text, name);
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw usageFailure(
      code === 'ENOENT' ? `--input ${name}: no such file` : `--input ${name}: cannot be read (${code})`,
      /^\s*[[{]/.test(name) ? 'JSON itself goes to standard input: echo JSON | ... --input -' : 'name a JSON file, or - for standard input',
    );
  }
}

export function parseJson(text: string, name: string): JsonValue {
  if (text.trim() === '') throw usageFailure(`${name} is empty: expected a JSON object`, `e.g. {"input": [[1, 2, 3]]}`);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw usageFailure(`${name} is not JSON: ${describeSyntaxError(error, text)}`);
  }
}

/** V8 names the token but not its place; JSON is YAML all but in name, and a YAML parser tells line and column. */
function describeSyntaxError(error: unknown, text: string): string {
  const message = messageOf(error).replace(/\s+/g, ' ');
  const place = parseDocument(text).errors[0]?.linePos?.[0];
  return place === undefined ? message : `${message}, at line ${place.line}, column ${place.col}`;
}
