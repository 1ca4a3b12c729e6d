import type { Document } from 'yaml';
import { LineCounter, isNode, parseDocument } from 'yaml';
import { describeError } from '../errors.js';
import type { Result } from '../refusal.js';
import type { ConfigProblem } from './problem.js';

/** A document with the way back from a field to its place in the text. */
export interface YamlDocument {
  readonly value: unknown;
  /** Of the node at this path, or of its nearest ancestor that exists. */
  locate(segments: readonly (string | number)[]): { readonly line: number; readonly column: number } | undefined;
}

/** Far above any real table, far below what hurts. */
const maxTextCharacters = 32 * 1024 * 1024;

/**
 * One YAML 1.2 document (JSON is YAML), duplicate keys refused, aliases bounded. Its problems carry line and column.
 */
export function parseYamlDocument(text: string, file: string): Result<YamlDocument, readonly ConfigProblem[]> {
  if (text.length > maxTextCharacters) {
    return failed({ source: file, path: '', message: `expected at most ${maxTextCharacters} characters, got ${text.length}` });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, version: '1.2' });
  const problems = document.errors.map(({ message, pos }): ConfigProblem => {
    const { line, col } = lines.linePos(pos[0]);
    return { source: file, path: '', message, line, column: col };
  });
  if (problems.length > 0) return { ok: false, refusal: problems };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { ok: true, value: { value, locate: (segments) => locate(document, lines, segments) } };
  } catch (error) {
    return failed({ source: file, path: '', message: describeError(error) });
  }
}

/** The value alone; see parseYamlDocument. */
export function parseYaml(text: string, file: string): Result<unknown, readonly ConfigProblem[]> {
  const parsed = parseYamlDocument(text, file);
  return parsed.ok ? { ok: true, value: parsed.value.value } : parsed;
}

function locate(
  document: Document,
  lines: LineCounter,
  segments: readonly (string | number)[],
): { line: number; column: number } | undefined {
  for (let length = segments.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(segments.slice(0, length), true);
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0]);
      return { line, column: col };
    }
  }
  return undefined;
}

function failed(problem: ConfigProblem): { readonly ok: false; readonly refusal: readonly ConfigProblem[] } {
  return { ok: false, refusal: [problem] };
}
