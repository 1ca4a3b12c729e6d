import { afterAll, describe, expect, it } from 'vitest';
import { attackNames, attacks } from './attacks.js';
import { measureAttack } from './measure.js';

const mebibyte = 1024 * 1024;
const seconds = 1;
/** Of a server that stands at some 75 MiB: garbage of a process under load, replies that wait, and far below what each attack sends or asks for. */
const maxGrowthBytes = 256 * mebibyte;

const lines: string[] = [];
afterAll(() => console.info(`a bystander's p99, server, attacker and bystander being processes of their own\n${lines.join('\n')}`));

/** bench-main.ts prints the times as a table: on a machine that others use they are no assertion. */
describe('a caller beside an attack', { timeout: 120_000 }, () => {
  it.for(attackNames)('%s: loses no call, and the attacker is told', async (name, context) => {
    if (process.platform !== 'linux') context.skip('reads peak memory from /proc: Linux only');
    const { quiet, attacked, attacker, quietBytes, peakBytes } = await measureAttack(name, seconds);
    const growthBytes = peakBytes - quietBytes;
    lines.push(
      `${name.padEnd(20)} ${quiet.p99Ms.toFixed(1)} ms quiet, ${attacked.p99Ms.toFixed(1)} attacked; ${(growthBytes / mebibyte).toFixed(0)} MiB more`,
    );
    expect([...quiet.failures, ...attacked.failures]).toEqual([]);
    // Served throughout; how much slower is for the table, as it depends on who else uses the cores.
    expect(attacked.calls).toBeGreaterThan(quiet.calls / 20);
    expect(growthBytes).toBeLessThan(maxGrowthBytes);
    // A connection may be cut off before its last word arrives; another word than the right one is wrong.
    expect(Object.keys(attacker.told).filter((word) => word !== 'nothing')).toEqual([attacks[name].told]);
  });
});
