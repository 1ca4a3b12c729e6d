import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FakeProcesses } from '../testing/fake-processes.js';
import { LocalPlatform } from './platform.js';
import { emptyTemplate } from './routing-table.js';

let clock: FakeClock;
let processes: FakeProcesses;
let tables: string[];
let states: string[];

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const addresses = () =>
  (parse(tables.at(-1) ?? '') as { backends: { name: string; address: string }[] }).backends.map(
    ({ name, address }) => `${name} ${address}`,
  );

function platform(replicas = 2): LocalPlatform {
  return new LocalPlatform({
    instances: Array.from({ length: replicas }, () => 1),
    template: emptyTemplate,
    inference: () => ({ program: 'inference', args: [], env: {} }),
    gateway: (tableFile) => ({ program: 'gateway', args: [tableFile], env: {} }),
    writeTable: (text) => {
      tables.push(text);
      return 'table.yaml';
    },
    start: processes.start,
    clock,
    random: () => 0,
    listener: { onState: (name, state) => void states.push(`${name} ${state.kind}`), onModel: () => undefined, onLogLine: () => undefined },
  });
}

beforeEach(() => {
  clock = new FakeClock();
  processes = new FakeProcesses();
  tables = [];
  states = [];
});

async function started(replicas = 2): Promise<LocalPlatform> {
  const local = platform(replicas);
  const outcome = local.start();
  processes.started.slice(0, replicas).forEach((replica, index) => replica.announce(9001 + index));
  await turn();
  processes.latest('gateway').announce(8001);
  expect((await outcome).ok).toBe(true);
  return local;
}

describe('start', () => {
  test('the gateway waits for all replicas and gets their ports in a table', async () => {
    const local = platform();
    const outcome = local.start();
    processes.started[0]?.announce(9001);
    await turn();
    expect(processes.started).toHaveLength(2);
    processes.started[1]?.announce(9002);
    await turn();
    expect(processes.latest('gateway').spec.args).toEqual(['table.yaml']);
    expect(addresses()).toEqual(['replica-0 127.0.0.1:9001', 'replica-1 127.0.0.1:9002']);
    processes.latest('gateway').announce(8001);
    expect(await outcome).toMatchObject({ ok: true, gateway: { grpcPort: 8001 } });
  });

  test('a replica that refuses its flags is left out, the other one serves', async () => {
    const local = platform();
    const outcome = local.start();
    processes.started[0]?.exit(2);
    processes.started[1]?.announce(9002);
    await turn();
    expect(addresses()).toEqual(['replica-1 127.0.0.1:9002']);
    processes.latest('gateway').announce(8001);
    expect((await outcome).ok).toBe(true);
  });

  test('without any replica there is no gateway, and the outcome names who failed', async () => {
    const local = platform();
    const outcome = local.start();
    processes.started[0]?.listener.onStderrLine('no such folder');
    processes.started[0]?.exit(2);
    processes.started[1]?.exit(2);
    const result = await outcome;
    expect(result.ok).toBe(false);
    expect(!result.ok && [result.process.name, ...result.process.lastLines]).toEqual(['replica-0', 'no such folder']);
    expect(processes.started).toHaveLength(2);
  });
});

describe('a replica that is killed', () => {
  test('is started again and its new port is published', async () => {
    await started();
    processes.started[0]?.exit(null, 'SIGKILL');
    expect(processes.started).toHaveLength(3);
    clock.advance(99);
    expect(processes.started).toHaveLength(3);
    clock.advance(1);
    expect(processes.started).toHaveLength(4);
    processes.started[3]?.announce(9077);
    expect(addresses()).toEqual(['replica-0 127.0.0.1:9077', 'replica-1 127.0.0.1:9002']);
  });

  test('keeps its place in the table meanwhile: counters belong to a name', async () => {
    await started();
    const before = tables.length;
    processes.started[0]?.exit(null, 'SIGKILL');
    expect(tables).toHaveLength(before);
  });
});

describe('stop', () => {
  test('drains the gateway first, the replicas after it', async () => {
    const local = await started();
    const stopped = local.stop();
    expect(processes.started.map(({ signals }) => signals)).toEqual([[], [], ['SIGTERM']]);
    processes.latest('gateway').exit(0);
    await turn();
    expect(processes.started.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM'], ['SIGTERM']]);
    processes.started[0]?.exit(0);
    processes.started[1]?.exit(0);
    await stopped;
    expect(states.slice(-2)).toEqual(['replica-0 stopped', 'replica-1 stopped']);
  });

  test('kills what does not end', async () => {
    const local = await started(1);
    void local.stop();
    clock.advance(40_000);
    expect(processes.latest('gateway').signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('a second request kills everything at once', async () => {
    const local = await started(1);
    const stopped = local.stop();
    local.kill();
    expect(processes.started.every(({ signals }) => signals.includes('SIGKILL'))).toBe(true);
    for (const child of processes.started) child.exit(null, 'SIGKILL');
    await stopped;
    expect(clock.pendingTimers).toBe(0);
  });

  test('during the start ends what runs and starts nothing more', async () => {
    const local = platform();
    const outcome = local.start();
    const stopped = local.stop();
    for (const child of processes.started) child.exit(0);
    await stopped;
    expect((await outcome).ok).toBe(false);
    expect(processes.started).toHaveLength(2);
  });
});
