import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import type { InferenceClient } from '../client/client.js';
import type { TargetFlags } from '../client/target.js';
import { positiveNumber, withTargetFlags } from '../client/target.js';
import type { Io } from '../io.js';
import type { LimitsSample } from '../limits/rates.js';
import { tenantLines } from '../limits/rates.js';
import { renderLimits } from '../limits/render.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';

interface LimitsFlags extends TargetFlags {
  readonly interval: number;
  readonly others: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

export function limitsCommand(context: CommandContext): Command {
  const command = newCommand(
    'limits',
    'watch what each tenant uses of its limits, what is left, and what is refused and why',
    [
      { line: 'npx headrace limits' },
      { line: 'npx headrace limits acme --once', note: 'one tenant, one sample' },
      { line: 'npx headrace limits --json', note: 'an object a sample, for a script' },
    ],
    `Rates are those between two samples. Shown are the tenants that the policy names, and the busiest of the others. A gateway
  answers on its own machine, or to the identity of its --admin-identity; several gateways answer each for itself.`,
  ).argument('[tenant]', 'one tenant');
  command
    .option('--interval <seconds>', 'time between two samples', positiveNumber, 1)
    .option('--others <count>', 'tenants to show that the policy does not name', positiveNumber, 20)
    .option('--once', 'print one sample and end (as without a terminal)')
    .option('--json', 'print each sample as a JSON object');
  return withTargetFlags(command, context.io).action((tenant: string | undefined, flags: LimitsFlags) =>
    withClient(flags, context.io, (client) => watch(client, tenant ?? '', flags, context.io)),
  );
}

async function watch(client: InferenceClient, tenant: string, flags: LimitsFlags, io: Io): Promise<void> {
  const live = flags.once !== true && (io.stdout.isTty || flags.json === true);
  const screen = live && flags.json !== true ? createLogUpdate(process.stdout) : undefined;
  let stopped = false;
  let wake: () => void = () => undefined;
  const release = io.onInterrupt(() => {
    stopped = true;
    wake();
  });
  const sample = async (): Promise<LimitsSample> => ({ atMs: io.clock.nowMs(), response: await client.limits(tenant, flags.others) });
  try {
    let before = await sample();
    screen?.(io.colors.dim('first sample ...'));
    do {
      await new Promise<void>((resolve) => {
        wake = resolve;
        io.clock.setTimer(resolve, flags.interval * 1000);
      });
      if (stopped) break;
      const after = await sample();
      const view = { address: flags.address, response: after.response, tenants: tenantLines(before, after) };
      if (flags.json === true) writeJson(io, jsonOf(view));
      else (screen ?? ((text: string) => io.stdout.write(text)))(renderLimits(view, io.colors));
      before = after;
    } while (live && !stopped);
    screen?.done();
  } finally {
    release();
  }
}

function jsonOf({ address, response, tenants }: Parameters<typeof renderLimits>[0]): unknown {
  const { shadow, quotas, models, known_tenants: knownTenants } = response;
  return { address, shadow, quotas, knownTenants: Number(knownTenants), tenants, models };
}
