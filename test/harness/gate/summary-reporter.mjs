import { writeFileSync } from 'node:fs';
import { tally } from './summary.mjs';

/** A vitest reporter that leaves the counts where run-tests.mjs reads them (HEADRACE_TEST_SUMMARY names the file). */
export class SummaryReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env['HEADRACE_TEST_SUMMARY'];
    if (file === undefined) return;
    const files = modules.map((module) => ({
      path: module.relativeModuleId,
      errors: module.errors().length,
      tests: [...module.children.allTests()].map((test) => {
        const result = test.result();
        return { name: test.fullName, state: result.state, note: result.state === 'skipped' ? result.note : undefined };
      }),
      suiteErrors: [...module.children.allSuites()].reduce((sum, suite) => sum + suite.errors().length, 0),
    }));
    writeFileSync(file, JSON.stringify(tally(files, unhandledErrors.length)));
  }
}

// Vitest loads a reporter by its file's default export.
// oxlint-disable-next-line import/no-default-export -- the tool's contract
export default SummaryReporter;
