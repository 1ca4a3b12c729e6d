import type { Command } from 'commander';
import { usageFailure } from '../failure.js';
import type { CommandContext } from './command.js';
import { newCommand, writeJson } from './command.js';

interface KeyFlags {
  readonly tenant: string;
  readonly tier?: string;
  readonly json?: boolean;
}

export function keyCommand(context: CommandContext): Command {
  const group = newCommand('key', 'keys that prove who calls', [
    { line: 'npx headrace key create --tenant acme', note: 'a key, and what the gateway is to know of it' },
  ]);
  return group.addCommand(createCommand(context));
}

function createCommand(context: CommandContext): Command {
  const command = newCommand(
    'create',
    'make an API key for a tenant, and its line for the file of keys',
    [
      { line: 'npx headrace key create --tenant acme' },
      { line: 'npx headrace key create --tenant visitor --tier free --json', note: 'for scripts: key, sha256, line' },
    ],
    `The key has 256 random bits and is shown this once: nothing keeps it, and it cannot be had from its SHA-256. Put the line under "keys:"
  of the file that the traffic policy names (identity: apiKeys: file); gateways read it again when it changes. To rotate a key add the
  new line, move the callers, remove the old line. Nothing is sent anywhere.`,
  );
  command.requiredOption('--tenant <name>', 'whose key it is, as the traffic policy spells it');
  command.option('--tier <name>', 'the tier of who brings this key; default: that of the tenant');
  command.option('--json', 'print one JSON object');
  return command.action((flags: KeyFlags) => create(flags, context));
}

async function create({ tenant, tier, json }: KeyFlags, { io }: CommandContext): Promise<void> {
  // Loaded here: no other command needs the gateway's code.
  const { newApiKey, tenantNameProblem } = await import('@headrace/gateway');
  const problems = { tenant: tenantNameProblem(tenant), tier: tier === undefined ? undefined : tenantNameProblem(tier) };
  for (const [flag, problem] of Object.entries(problems)) if (problem !== undefined) throw usageFailure(`--${flag}: ${problem}`);
  const { key, sha256 } = newApiKey();
  const fields = [`tenant: ${yaml(tenant)}`, ...(tier === undefined ? [] : [`tier: ${yaml(tier)}`]), `sha256: ${JSON.stringify(sha256)}`];
  const line = `- { ${fields.join(', ')} }`;
  if (json === true) return writeJson(io, { tenant, ...(tier === undefined ? {} : { tier }), key, sha256, line });
  const { bold, dim } = io.colors;
  io.stdout.write(
    `${dim('for the caller, shown this once:')}\n  ${bold(key)}\n\n${dim('for the file of keys, under "keys:"')}\n  ${line}\n\n` +
      `${dim(`sent as metadata: authorization: Bearer ${key.slice(0, 6)}...`)}\n`,
  );
}

/** Quoted unless it can be nothing but a text: "1e5", "no" and "~" are something else to YAML. */
function yaml(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}
