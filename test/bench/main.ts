import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { tool } from '../harness/tools.js';
import { help, parseOptions } from './options.js';
import type { BenchOptions } from './options.js';
import { scenarioReport } from './report/table.js';
import { runScenario } from './run-scenario.js';
import { scenarios } from './scenarios/all.js';
import type { BenchContext } from './scenarios/scenario.js';
import { modelFiles } from './workload/model-files.js';

/** The last two: 128 + the signal's number, as shells have it. */
const exitCode = { notMeasured: 1, badUsage: 2, interrupted: 130, terminated: 143 } as const;

/** Progress goes to stderr, so that the report on stdout can be kept as it is. */
function say(line: string): void {
  console.error(`bench: ${line}`);
}

async function prepare(options: BenchOptions): Promise<BenchContext> {
  const h2load = await tool('h2load', say);
  if ('skip' in h2load) throw new Error(`h2load ${h2load.skip}`);
  const file = await modelFiles(say);
  const context = { lengths: options.lengths, h2load, file, say };
  if (options.profileFolder === undefined) return context;
  const profileFolder = resolve(options.profileFolder);
  await mkdir(profileFolder, { recursive: true });
  return { ...context, profileFolder };
}

/** Exit code 1 when something could not be measured; a missed target is a result, not a failure. */
async function run(options: BenchOptions): Promise<void> {
  const context = await prepare(options);
  const chosen = scenarios.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), Node ${process.versions.node}`;
  const reports: string[] = [];
  const results: unknown[] = [];
  for (const scenario of chosen) {
    say(`${scenario.name}: ${scenario.title}`);
    const { rounds, problems } = await runScenario(scenario, context, options);
    const verdicts = scenario.judge(rounds);
    reports.push(scenarioReport(scenario, rounds, verdicts));
    results.push({ scenario: scenario.name, rounds: Object.fromEntries(rounds), verdicts, problems });
    if (problems.length > 0) process.exitCode = exitCode.notMeasured;
    // After each scenario, so that an interrupted run leaves what it had.
    if (options.jsonFile !== undefined)
      await writeFile(options.jsonFile, `${JSON.stringify({ machine, ...options.lengths, results }, undefined, 2)}\n`);
  }
  console.log(`Medians of ${options.repeats}, ${options.lengths.measureS} s each, on ${machine}.\n`);
  console.log(reports.join('\n'));
}

/** Ends through exit, which takes the servers along. */
function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(exitCode.interrupted));
  process.once('SIGTERM', () => process.exit(exitCode.terminated));
}

async function main(): Promise<void> {
  endOnSignals();
  const known = scenarios.map(({ name }) => name);
  const parsed = parseOptions(process.argv.slice(2), known);
  if (!parsed.ok) {
    console.error(`${parsed.message}\n\n${help}`);
    process.exitCode = exitCode.badUsage;
    return;
  }
  if (parsed.options.action === 'help') console.log(help);
  else if (parsed.options.action === 'list') for (const { name, title } of scenarios) console.log(`${name.padEnd(15)} ${title}`);
  else await run(parsed.options);
}

await main();
