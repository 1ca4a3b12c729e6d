import type { Command } from 'commander';
import type { TargetFlags } from '../client/target.js';
import { withTargetFlags } from '../client/target.js';
import { exitCode } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import { renderExplanation } from '../render/explanation.js';
import { formatCount, formatMs } from '../render/numbers.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';

interface ExplainFlags extends TargetFlags {
  readonly json?: boolean;
}

export function explainCommand(context: CommandContext): Command {
  const command = newCommand(
    'explain',
    'what became of a request: why it was refused, or how long each stage of it took',
    [
      { line: 'npx headrace explain 5c6f1a0e-8d0b-4a55-9e0c-0b5d4d3f6a77' },
      { line: 'npx headrace explain checkout-42 --json', note: 'an id that the client chose' },
    ],
    `The id is the x-request-id, which every reply and every refusal carries, and every log line of it. A gateway remembers its
  latest requests. It answers on its own machine, or to the identity of its --admin-identity.`,
  ).argument('<request-id>', 'the x-request-id');
  command.option('--json', 'print one JSON object');
  return withTargetFlags(command, context.io).action((requestId: string, flags: ExplainFlags) => explain(requestId, flags, context));
}

async function explain(requestId: string, flags: ExplainFlags, { io }: CommandContext): Promise<void> {
  await withClient(flags, io, async (client) => {
    const { requests, remembered, oldest_ms_ago: oldestMsAgo } = await client.explain(requestId);
    if (requests.length === 0) {
      const since = Number(remembered) === 0 ? '' : `, back to ${formatMs(oldestMsAgo)} ago`;
      throw new CliFailure(`no request ${requestId} among the ${formatCount(Number(remembered))} that the gateway remembers${since}`, {
        exitCode: exitCode.failed,
        fix: 'look for the id in the logs of the gateways: another one may have served it',
        reason: 'REQUEST_NOT_FOUND',
      });
    }
    if (flags.json === true) writeJson(io, { requests });
    else io.stdout.write(requests.map((request) => renderExplanation(request, io.colors)).join('\n'));
  });
}
