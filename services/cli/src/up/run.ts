import { defaultWire, wireNamed, wireVariable } from '@headrace/wire';
import { InferenceClient } from '../client/client.js';
import { defaultAddress } from '../client/target.js';
import { callName } from '../commands/call-name.js';
import { modelRows } from '../commands/models.js';
import type { UpFlags } from '../commands/up.js';
import type { ExampleCommand } from '../examples/commands.js';
import { exampleCommands } from '../examples/commands.js';
import type { ExitCode } from '../exit-code.js';
import { exitCode } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import type { Io } from '../io.js';
import type { ModelRow } from '../render/models-table.js';
import { describeExit } from '../supervise/child-state.js';
import { parseLogLine } from '../supervise/log-line.js';
import { httpProbe } from '../supervise/http-probe.js';
import { nodeProcesses } from '../supervise/node-process.js';
import { LocalPlatform } from '../supervise/platform.js';
import { StateDir } from '../supervise/state-dir.js';
import type { ReadyAnnouncement, SupervisedProcess } from '../supervise/supervised-process.js';
import { findExample } from './first-example.js';
import { Narrator } from './narrator.js';
import type { UpPlan } from './plan.js';
import { planUp } from './plan.js';
import { gatewaySpec, inferenceSpec } from './programs.js';
import { renderSummary, summaryEvent } from './summary.js';

/** Runs the platform until Ctrl-C. Resolves with 0 after a drain and 130 after a second Ctrl-C. */
export async function runUp(flags: UpFlags, io: Io): Promise<ExitCode> {
  // 1. Decide.
  const plan = await planUp(flags, io);
  const startedMs = io.clock.nowMs();
  const logLevel = flags.verbose === true ? 'debug' : flags.logLevel;
  const narrator = new Narrator(io, { threshold: logLevel, json: flags.json === true, replicas: plan.instances.length });
  const stateDir = await StateDir.open();
  const platform = new LocalPlatform({
    instances: plan.instances,
    template: plan.template,
    inference: (instances) => inferenceSpec(plan.models ?? '', instances, logLevel, io),
    gateway: (tableFile) => gatewaySpec(tableFile, flags, logLevel, io),
    writeTable: (text) => stateDir.write('routing-table.yaml', text),
    start: nodeProcesses(new URL('../supervise/exit-with-parent.js', import.meta.url)),
    probe: httpProbe,
    gatewayHost: clientHost(flags.host),
    clock: io.clock,
    random: () => io.random(),
    listener: narrator,
  });
  const interrupts = new Interrupts(io, platform, narrator);
  try {
    // 2. Start; Ctrl-C works from here on.
    narrator.begin();
    const outcome = await Promise.race([platform.start(), interrupts.first]);
    if (outcome !== 'interrupted') {
      if (!outcome.ok) throw startFailure(outcome.process);
      // 3. Tell what is there.
      await Promise.race([announce(outcome.gateway, plan, flags, io, narrator, stateDir, startedMs), interrupts.first]);
      // 4. Supervise until somebody wants the terminal back.
      await interrupts.first;
    }
    // 5. Drain.
    narrator.endProgress();
    narrator.note('draining: requests in flight finish (Ctrl-C again stops at once)', { event: 'draining' });
    await platform.stop();
    if (!interrupts.forced) narrator.note('stopped', { event: 'stopped' });
    return interrupts.forced ? exitCode.interrupted : exitCode.ok;
  } catch (error) {
    narrator.endProgress();
    await platform.stop();
    throw error;
  } finally {
    interrupts.close();
    stateDir.remove();
  }
}

/** The first signal asks for a drain, the second one ends everything at once. */
class Interrupts {
  readonly first: Promise<'interrupted'>;
  forced = false;
  readonly close: () => void;

  constructor(io: Io, platform: LocalPlatform, narrator: Narrator) {
    let count = 0;
    let resolveFirst: (value: 'interrupted') => void;
    this.first = new Promise((resolve) => (resolveFirst = resolve));
    this.close = io.onInterrupt(() => {
      count += 1;
      if (count === 1) resolveFirst('interrupted');
      else if (!this.forced) {
        this.forced = true;
        narrator.note('stopping at once', { event: 'killed' });
        platform.kill();
      }
    });
  }
}

async function announce(
  gateway: ReadyAnnouncement,
  plan: UpPlan,
  flags: UpFlags,
  io: Io,
  narrator: Narrator,
  stateDir: StateDir,
  startedMs: number,
): Promise<void> {
  const host = clientHost(flags.host);
  const address = `${host}:${gateway.grpcPort}`;
  const client = new InferenceClient(
    { address, tls: undefined, wire: wireNamed(io.env[wireVariable] ?? defaultWire) ?? defaultWire, timeoutMs: 30_000 },
    io.clock,
  );
  try {
    const models = await modelRows(client);
    const commands = await commandsFor(client, models, address, plan, io, stateDir);
    const metricsUrl = gateway.metricsPort === undefined ? undefined : `http://${host}:${gateway.metricsPort}/metrics`;
    const summary = { address, metricsUrl, replicas: plan.instances.length, tookMs: io.clock.nowMs() - startedMs, models, commands };
    narrator.endProgress();
    if (flags.json === true) narrator.emit(summaryEvent(summary));
    else io.stdout.write(renderSummary(summary, io.colors));
  } finally {
    client.close();
  }
}

/** For the first ready model that takes an example; models that fail or are hard to please do not stop the others. */
async function commandsFor(
  client: InferenceClient,
  models: readonly ModelRow[],
  address: string,
  plan: UpPlan,
  io: Io,
  stateDir: StateDir,
): Promise<ExampleCommand[]> {
  for (const { spec } of models) {
    const example = spec === undefined ? undefined : await findExample(client, spec, plan.demoExample, io);
    if (example === undefined) continue;
    return exampleCommands(example, {
      address,
      headrace: callName(io),
      targetFlags: address === (io.env['HEADRACE_ADDRESS'] ?? defaultAddress) ? '' : ` --address ${address}`,
      store: (name, text) => stateDir.write(name, text),
    });
  }
  return [];
}

/** Where a client on this machine finds a server that listens at `host`. */
function clientHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** The last line the process wrote says why; the narrator has shown the ones before it. */
function startFailure({ name, state, lastLines }: SupervisedProcess): CliFailure {
  const why = state.kind === 'stopped' && state.exit !== undefined ? describeExit(state.exit) : 'did not become ready';
  const lastLine = lastLines.at(-1);
  const words = lastLine === undefined ? '' : `: ${parseLogLine(lastLine).text.replace(/^headrace-[a-z]+: /, '')}`;
  return new CliFailure(`${name} ${why}${words}`, { exitCode: exitCode.failed, reason: 'START_FAILED', fix: 'see more with --verbose' });
}
