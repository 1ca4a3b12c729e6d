/**
 * @typedef {object} FileResult
 * @property {string} path
 * @property {number} errors Of the file itself: an import that failed, a hook outside any suite.
 * @property {number} suiteErrors Of hooks inside its suites.
 * @property {readonly { name: string, state: string, note: string | undefined }[]} tests
 */

/**
 * @typedef {object} Summary
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly string[]} failures
 * @property {readonly string[]} skips One line a reason, with how many tests it skipped.
 */

/**
 * Counts what ran. A broken file, hook or stray rejection is a failure of its own, so that no green test hides it.
 * @param {readonly FileResult[]} files
 * @param {number} unhandledErrors
 * @returns {Summary}
 */
export function tally(files, unhandledErrors) {
  let passed = 0;
  let skipped = 0;
  /** @type {string[]} */
  const failures = [];
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const file of files) {
    for (const test of file.tests) {
      if (test.state === 'passed') passed++;
      else if (test.state === 'skipped') {
        skipped++;
        const reason = test.note ?? `${file.path}: no reason given`;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      } else failures.push(`${file.path}: ${test.name}${test.state === 'failed' ? '' : ` (never ran: ${test.state})`}`);
    }
    for (let n = 0; n < file.errors + file.suiteErrors; n++) failures.push(`${file.path}: the file or one of its hooks`);
  }
  for (let n = 0; n < unhandledErrors; n++) failures.push('an error that no test caught');
  const skips = [...reasons].map(([reason, count]) => `${count} skipped: ${reason}`);
  return { passed, failed: failures.length, skipped, failures, skips };
}

/**
 * The last line of `npm test`.
 * @param {Pick<Summary, 'passed' | 'failed' | 'skipped'>} summary
 */
export function closingLine(summary) {
  const line = `${summary.passed} passed, ${summary.failed} failed`;
  return summary.skipped === 0 ? line : `${line}, ${summary.skipped} skipped`;
}
