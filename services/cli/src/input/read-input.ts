import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Io } from '../io.js';
import { usageFailure } from '../failure.js';
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
    throw usageFailure(code === 'ENOENT' ? `--input ${name}: no such file` : `--input ${name}: cannot be read (${code})`, 'name a JSON file, or - for standard input');
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

/** V8 tells an offset; a person looks for a line. */
function describeSyntaxError(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined) return message;
  const before = text.slice(0, Number(offset)).split('\n');
  return `${message.replace(/ in JSON at position \d+.*/s, '')} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
