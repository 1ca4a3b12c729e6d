import type { Command } from 'commander';
import type { TargetFlags } from '../client/target.js';
import { positiveNumber, withTargetFlags } from '../client/target.js';
import type { LimitsSample } from '../limits/rates.js';
import { tenantLines } from '../limits/rates.js';
import { renderLimits } from '../limits/render.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';
import { watch, withWatchFlags } from './watch.js';
import type { WatchFlags } from './watch.js';

interface LimitsFlags extends TargetFlags, WatchFlags {
  readonly others: number;
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
  command.option('--others <count>', 'tenants to show that the policy does not name', positiveNumber, 20);
  withWatchFlags(command);
  return withTargetFlags(command, context.io).action((tenant: string | undefined, flags: LimitsFlags) =>
    withClient(flags, context.io, (client) =>
      watch(
        flags,
        context.io,
        async (): Promise<LimitsSample> => ({
          atMs: context.io.clock.nowMs(),
          response: await client.limits(tenant ?? '', flags.others),
        }),
        (before, after, print) => {
          const view = { address: flags.address, response: after.response, tenants: tenantLines(before, after) };
          if (flags.json === true) writeJson(context.io, jsonOf(view));
          else print(renderLimits(view, context.io.colors));
        },
      ),
    ),
  );
}

function jsonOf({ address, response, tenants }: Parameters<typeof renderLimits>[0]): unknown {
  const { shadow, quotas, known_tenants: knownTenants } = response;
  const models = response.models.map(({ model, under_way, limit, queued_rows }) => ({
    model,
    underWay: Number(under_way),
    limit,
    queuedRows: queued_rows,
  }));
  return { address, shadow, quotas, knownTenants: Number(knownTenants), tenants, models };
}
