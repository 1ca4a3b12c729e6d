import { mkdtempSync, renameSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayTable } from '../domain/gateway-table.js';
import { readTable, watchTable } from './watch.js';
import type { TableWatch } from './watch.js';

const table = (rate: string): string => `apiVersion: headrace.dev/v1alpha1
kind: RoutingTable
backends: [{ name: a, address: "h:1" }]
trafficPolicy: { tiers: [{ name: free, requestsPerSecond: ${rate} }], defaultTier: free }
`;
const patient = { timeout: 30_000, interval: 10 };

describe('watchTable', { timeout: 60_000 }, () => {
  let folder: string;
  let watch: TableWatch | undefined;
  let current: GatewayTable | undefined;
  let problems: (readonly string[])[];

  const start = async (file: string): Promise<void> => {
    const read = await readTable(file);
    if (!read.ok) throw new Error(read.problems.join('\n'));
    current = read.table;
    watch = await watchTable(file, read.text, systemClock, {
      onTable: (next) => void (current = next),
      onProblems: (lines) => void problems.push(lines),
    });
  };
  const rate = (): number | undefined => current?.traffic?.defaultTier.requestsPerSecond;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-table-'));
    problems = [];
  });
  afterEach(async () => {
    await watch?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps the last good policy through a bad one, and tells every error of it', async () => {
    const file = join(folder, 't.yaml');
    writeFileSync(file, table('20'));
    await start(file);
    writeFileSync(file, table('-1, burst: 3, tier: x').replace('defaultTier: free', 'defaultTier: gone'));
    await vi.waitFor(() => expect(problems.flat().join('\n')).toContain('defaultTier'), patient);
    expect(problems.flat().map((line) => line.replace(/^.*t\.yaml[:\d]*: /, '').split(': ')[0])).toEqual([
      'trafficPolicy.tiers[0].tier',
      'trafficPolicy.tiers[0].requestsPerSecond',
      'trafficPolicy.defaultTier',
    ]);
    expect(rate()).toBe(20);
    writeFileSync(file, table('30'));
    await vi.waitFor(() => expect(rate()).toBe(30), patient);
  });

  it('sees a file that is replaced by rename', async () => {
    const file = join(folder, 't.yaml');
    writeFileSync(file, table('20'));
    await start(file);
    writeFileSync(join(folder, 'next'), table('40'));
    renameSync(join(folder, 'next'), file);
    await vi.waitFor(() => expect(rate()).toBe(40), patient);
  });

  it("sees a change of Kubernetes' ..data link, as a mounted ConfigMap changes", async () => {
    const version = (name: string, text: string): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 't.yaml'), text);
      symlinkSync(name, join(folder, '..tmp'));
      renameSync(join(folder, '..tmp'), join(folder, '..data'));
    };
    version('..1', table('20'));
    symlinkSync('..data/t.yaml', join(folder, 't.yaml'));
    await start(join(folder, 't.yaml'));
    version('..2', table('50'));
    await vi.waitFor(() => expect(rate()).toBe(50), patient);
  });

  it('sees a file of another folder, written in place behind a link', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere', 'real.yaml'), table('20'));
    symlinkSync('elsewhere/real.yaml', join(folder, 't.yaml'));
    await start(join(folder, 't.yaml'));
    writeFileSync(join(folder, 'elsewhere', 'real.yaml'), table('60'));
    await vi.waitFor(() => expect(rate()).toBe(60), patient);
  });

  it('keeps the policy of a file that is gone', async () => {
    const file = join(folder, 't.yaml');
    writeFileSync(file, table('20'));
    await start(file);
    rmSync(file);
    await vi.waitFor(() => expect(problems.flat().join('\n')).toContain('cannot be read (ENOENT)'), patient);
    expect(rate()).toBe(20);
  });
});
