import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTable } from '@headrace/gateway';
import { formatProblem } from '@headrace/runtime';
import { cpuCount } from '../supervise/cpu-count.js';
import { place } from '../supervise/placement.js';
import { portState } from '../supervise/port-check.js';
import type { TableTemplate } from '../supervise/routing-table.js';
import { emptyTemplate, parseTemplate, renderTable } from '../supervise/routing-table.js';
import { exitCode } from '../exit-code.js';
import { CliFailure, usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import type { UpFlags } from '../commands/up.js';
import { callName, shownPath } from '../commands/call-name.js';

/** Everything `up` decided before it started anything. */
export interface UpPlan {
  /** Absent when a table with backends of its own is served without local replicas. */
  readonly models: string | undefined;
  /** The demo's example input, as this prompt would name it. */
  readonly demoExample: string | undefined;
  readonly instances: readonly number[];
  readonly template: TableTemplate;
}

/** Checks all that can be checked before a process starts. Throws a CliFailure that names the flag. */
export async function planUp(flags: UpFlags, io: Io): Promise<UpPlan> {
  const template = flags.config === undefined ? emptyTemplate : readTemplate(flags.config, io);
  const ownReplicas = template.ownBackends.length === 0 || flags.models !== undefined || flags.replicas !== undefined;
  const demo = ownReplicas && flags.models === undefined ? findDemo(io) : undefined;
  const models = flags.models === undefined ? demo?.models : checkedRepository(flags.models, io);
  const instances = ownReplicas ? place(cpuCount(), flags.replicas).instances : [];
  if (flags.config !== undefined) checkTable(template, flags.config, instances);
  await checkPort(flags.host, flags.grpcPort, '--grpc-port', io);
  await checkPort(flags.host, flags.metricsPort, '--metrics-port', io);
  if (flags.grpcPort === flags.metricsPort && flags.grpcPort !== 0) {
    throw usageFailure(`--grpc-port and --metrics-port are both ${flags.grpcPort}`, 'choose another for one of them');
  }
  return { models, demoExample: demo?.example, instances, template };
}

function readTemplate(file: string, io: Io): TableTemplate {
  let text: string;
  try {
    text = readFileSync(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw usageFailure(
      `--config ${file}: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`,
    );
  }
  return parseTemplate(text, file);
}

/** The gateway's own rules, on the table it will get: replicas stand in with the names they will have. */
function checkTable(template: TableTemplate, file: string, instances: readonly number[]): void {
  const replicas = instances.map((count, index) => ({ name: `replica-${index}`, address: '127.0.0.1:1', instances: count }));
  const parsed = parseTable(renderTable(template, replicas), file);
  if (parsed.ok) return;
  // Line numbers would be those of the table with the replicas in it, not of the person's file: paths alone are told.
  const problems = parsed.refusal.map(({ source, path, message }) => formatProblem({ source, path, message }));
  throw usageFailure(
    problems.length === 1
      ? (problems[0] ?? '')
      : `${file} has ${problems.length} problems:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  );
}

function checkedRepository(folder: string, io: Io): string {
  const path = resolve(io.cwd, folder);
  if (!existsSync(path)) throw usageFailure(`--models ${folder}: no such folder`, layoutFix);
  if (!statSync(path).isDirectory()) throw usageFailure(`--models ${folder}: not a folder`, layoutFix);
  const models = readdirSync(path, { withFileTypes: true }).filter(
    (entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'),
  );
  if (models.length === 0) throw usageFailure(`--models ${folder}: no model in it`, layoutFix);
  return path;
}

const layoutFix = 'lay it out as DIR/<model name>/1/model.onnx and give --models DIR';

function findDemo(io: Io): { readonly models: string; readonly example: string } {
  const folder = dirname(fileURLToPath(import.meta.resolve('@headrace/demo/package.json')));
  const models = join(folder, 'models');
  if (!existsSync(models)) {
    throw new CliFailure(`the demo model is missing (${models})`, { exitCode: exitCode.failed, fix: 'serve your own with --models DIR' });
  }
  return { models, example: shownPath(join(folder, 'example.json'), io) };
}

async function checkPort(host: string, port: number, flag: string, io: Io): Promise<void> {
  switch (await portState(host, port)) {
    case 'free':
      return;
    case 'taken':
      throw new CliFailure(`port ${port} is taken: choose another with ${flag}`, {
        exitCode: exitCode.failed,
        reason: 'PORT_TAKEN',
        fix: `any that are free: ${callName(io)} up --grpc-port 0 --metrics-port 0`,
      });
    case 'forbidden':
      throw new CliFailure(`port ${port} may not be used by this user: choose another with ${flag}`, {
        exitCode: exitCode.failed,
        reason: 'PORT_FORBIDDEN',
      });
    case 'no such address':
      throw usageFailure(`--host ${host}: no address of this machine`, '127.0.0.1 for this machine alone, 0.0.0.0 for all');
  }
}
