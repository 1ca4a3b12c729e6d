/** One thing wrong with a document: where in it (`models[2].batching.maxBatchRows`), and what was expected. */
export type Report = (path: string, message: string) => void;

/** `field` is what is unique in each item of the list at `path`; '' for a list of names alone. */
export function checkUnique(names: readonly string[], path: string, report: Report, field = '.name'): void {
  const first = new Map<string, number>();
  names.forEach((name, i) => {
    const before = first.get(name);
    if (before === undefined) first.set(name, i);
    else report(`${path}[${i}]${field}`, `${JSON.stringify(name)} is already the name of ${path}[${before}]`);
  });
}
