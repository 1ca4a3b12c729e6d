// npm test: the gate's static steps (which build), the tools, then every test. The last line is "N passed, N failed".
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runSteps, staticSteps } from './steps.mjs';
import { closingLine } from './summary.mjs';

/** @type {import('./summary.mjs').Summary} */
const nothingRan = { passed: 0, failed: 1, skipped: 0, failures: [], skips: [] };

const summary = await main(process.argv.slice(2));
for (const skip of summary.skips) console.log(skip);
for (const failure of summary.failures) console.log(`failed: ${failure}`);
console.log(closingLine(summary));
process.exitCode = summary.failed === 0 && summary.passed > 0 ? 0 : 1;

/**
 * @param {string[]} args Passed on to vitest, e.g. a file's path.
 * @returns {Promise<import('./summary.mjs').Summary>}
 */
async function main(args) {
  if (!(await runSteps(staticSteps))) return { ...nothingRan, failures: ['a step of the gate, see above; no test ran'] };
  if ((await streamed(process.execPath, [join(root, 'test/dist/test/harness/install-tools.js')], {})) !== 0) {
    return { ...nothingRan, failures: ['installing the tools of the tests, see above; no test ran'] };
  }
  const scratch = mkdtempSync(join(tmpdir(), 'headrace-summary-'));
  try {
    const file = join(scratch, 'summary.json');
    const reporters = ['--reporter=default', `--reporter=${join(root, 'test/harness/gate/summary-reporter.mjs')}`];
    const code = await streamed(join(root, 'node_modules/.bin/vitest'), ['run', ...reporters, ...args], { HEADRACE_TEST_SUMMARY: file });
    if (!existsSync(file)) return { ...nothingRan, failures: [`vitest itself: it ended with ${code} and left no summary`] };
    /** @type {import('./summary.mjs').Summary} */
    const told = JSON.parse(readFileSync(file, 'utf8'));
    if (code === 0 || told.failed > 0) return told;
    return { ...told, failed: 1, failures: [`vitest itself: it ended with ${code}`] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number | null>}
 */
function streamed(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', resolve);
  });
}
