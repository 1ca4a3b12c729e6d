// The steps of `npm run verify`, cheapest first. No build is needed to run this file: it is what builds.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { changedFiles, generatedFiles } from './generated.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} fix What to run or do when it fails.
 * @property {() => Promise<string | undefined>} run Resolves with what is wrong; undefined: nothing.
 */

/** @type {readonly Step[]} */
export const staticSteps = [
  { name: 'generate', fix: 'the files above are rewritten now: commit them', run: generateAndCompare },
  { name: 'format', fix: 'npm run format', run: () => program('oxfmt', ['--check', '.']) },
  {
    name: 'lint',
    fix: 'npm run lint -- --fix mends some; the rules are in .oxlintrc.json',
    run: () => program('oxlint', ['--type-aware', '--quiet']),
  },
  { name: 'types', fix: 'npx tsc -b', run: () => program('tsc', ['-b']) },
];

/** @type {readonly Step[]} */
export const testSteps = [
  {
    name: 'layers',
    fix: 'npx vitest run test/architecture',
    run: () => program('vitest', ['run', '--project', 'unit', 'test/architecture']),
  },
  {
    name: 'unit tests',
    fix: 'npx vitest run --project unit',
    run: () => program('vitest', ['run', '--project', 'unit', '--exclude', 'test/architecture/**']),
  },
];

/**
 * Runs the steps in order, a line each, up to the first that fails.
 * @param {readonly Step[]} steps
 * @returns {Promise<boolean>} Whether all passed.
 */
export async function runSteps(steps) {
  for (const step of steps) {
    const startedMs = performance.now();
    const wrong = await step.run();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    if (wrong !== undefined) {
      console.log(`${wrong.trimEnd()}\nverify: ${step.name} FAILED after ${seconds} s. Fix: ${step.fix}`);
      return false;
    }
    console.log(`verify: ${step.name} ok, ${seconds} s`);
  }
  return true;
}

/**
 * Runs each workspace's generator and compares gen/ before and after: unlike a comparison with the last commit, this lets
 * a developer change a contract and its generated files together.
 * @returns {Promise<string | undefined>}
 */
async function generateAndCompare() {
  const before = generatedFiles(root);
  for (const folder of workspacesWith('generate')) {
    const said = await npm(['run', '--silent', 'generate', '--workspace', folder]);
    if (said !== undefined) return said;
  }
  const changed = changedFiles(before, generatedFiles(root));
  return changed.length === 0 ? undefined : `not what the generators write:\n  ${changed.join('\n  ')}`;
}

/**
 * @param {string} script
 * @returns {string[]}
 */
function workspacesWith(script) {
  /** @type {{ workspaces: string[] }} */
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return manifest.workspaces.filter((folder) => {
    const file = join(root, folder, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).scripts?.[script] !== undefined;
  });
}

/**
 * A program of node_modules/.bin.
 * @param {string} name
 * @param {string[]} args
 */
function program(name, args) {
  return run(join(root, 'node_modules/.bin', name), args);
}

/** @param {string[]} args */
function npm(args) {
  return run('npm', args);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string | undefined>} All it printed, if it failed.
 */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => output.push(chunk));
    child.stderr.on('data', (/** @type {Buffer} */ chunk) => output.push(chunk));
    child.once('error', (error) => resolve(`${command}: ${error.message}`));
    child.once('close', (code) => resolve(code === 0 ? undefined : Buffer.concat(output).toString() || `${command} ended with ${code}`));
  });
}
