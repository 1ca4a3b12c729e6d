/** One thing wrong with a configuration document. */
export interface ConfigProblem {
  /** The document, e.g. a file name as the user wrote it. */
  readonly source: string;
  /** `models[2].batching.maxBatchRows`; empty for the document as a whole. */
  readonly path: string;
  /** What was expected and what came. */
  readonly message: string;
  /** 1-based, where the source is text. */
  readonly line?: number;
  readonly column?: number;
}

/** `table.yaml:12:5: models[2].name: expected a string, got 7` */
export function formatProblem(problem: ConfigProblem): string {
  const at = problem.line === undefined ? problem.source : `${problem.source}:${problem.line}:${problem.column ?? 1}`;
  return problem.path === '' ? `${at}: ${problem.message}` : `${at}: ${problem.path}: ${problem.message}`;
}

/** Path segments to `models[2].batching`; keys that are no plain names are quoted: `labels["a.b"]`. */
export function formatPath(segments: readonly (string | number)[]): string {
  let path = '';
  for (const segment of segments) {
    if (typeof segment === 'number') path += `[${segment}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(segment)) path += `[${JSON.stringify(segment)}]`;
    else path += path === '' ? segment : `.${segment}`;
  }
  return path;
}

const maxShownCharacters = 80;

/** A value as an error message shows it: JSON, cut short. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= maxShownCharacters ? text : `${text.slice(0, maxShownCharacters - 3)}...`;
}
