import { parseArgs } from 'node:util';
import { attackNames, attacks } from './attacks.js';
import { measureAttack } from './measure.js';

const help = `node test/dist/test/wire-conformance/hostile/bench-main.js [--seconds N] [--only NAME]...

Server, attacker and a well-behaved caller as three processes: what the caller sees of each attack. After npm run build; Linux.
`;
const defaultSeconds = 4;
const mebibyte = 1024 * 1024;

/** Prints a row for each attack. The attacker burns a core or what it gets of one: that is part of the figures. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, only: { type: 'string', multiple: true }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(help);
  const seconds = Number(values.seconds ?? defaultSeconds);
  if (!(seconds >= 1 && seconds <= 60)) throw new Error(`--seconds: expected 1 to 60; got ${JSON.stringify(values.seconds)}`);
  const chosen = attackNames.filter((name) => values.only === undefined || values.only.includes(name));
  if (chosen.length === 0) throw new Error(`--only: expected one of ${attackNames.join(', ')}; got ${JSON.stringify(values.only)}`);
  say(
    '| attack | p99 quiet ms | p99 attacked ms | max ms | calls quiet | calls attacked | failed | peak MiB (quiet) | connections | told |',
  );
  say('|---|---|---|---|---|---|---|---|---|---|');
  for (const name of chosen) {
    const { quiet, attacked, attacker, quietBytes, peakBytes } = await measureAttack(name, seconds);
    const told = Object.entries(attacker.told).map(([word, times]) => `${word} ${times}`);
    const cells = [
      `${name} (${attacks[name].connections} at once)`,
      quiet.p99Ms.toFixed(1),
      attacked.p99Ms.toFixed(1),
      attacked.maxMs.toFixed(0),
      quiet.calls,
      attacked.calls,
      quiet.failures.length + attacked.failures.length,
      `${(peakBytes / mebibyte).toFixed(0)} (${(quietBytes / mebibyte).toFixed(0)})`,
      attacker.connections,
      told.join(', '),
    ];
    say(`| ${cells.join(' | ')} |`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
