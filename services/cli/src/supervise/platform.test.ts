import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FakeProcesses } from '../testing/fake-processes.js';
import { listenWithinMs, livenessPolicy } from './liveness-watch.js';
import { LocalPlatform } from './platform.js';
import { emptyTemplate } from './routing-table.js';

let clock: FakeClock;
let processes: FakeProcesses;
let tables: string[];
let states: string[];
/** Questions for a sign of life, in order; nobody answers unless a test does. */
let probes: { readonly url: string; readonly answer: () => void }[];

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
    probe: (url, answer) => {
      probes.push({ url, answer });
      return { abandon: () => undefined };
    },
    gatewayHost: '[::1]',
    clock,
    random: () => 0,
    listener: {
      onState: (name, state) => void states.push(`${name} ${state.kind}`),
      onHung: (name, hang) => void states.push(`${name} hangs (${hang})`),
      onModel: () => undefined,
      onLogLine: () => undefined,
    },
  });
}

beforeEach(() => {
  clock = new FakeClock();
  processes = new FakeProcesses();
  tables = [];
  states = [];
  probes = [];
});

async function started(replicas = 2, metrics = false): Promise<LocalPlatform> {
  const local = platform(replicas);
  const outcome = local.start();
  processes.started.slice(0, replicas).forEach((replica, index) => replica.announce(9001 + index, metrics ? 9101 + index : undefined));
  await turn();
  processes.latest('gateway').announce(8001, metrics ? 8002 : undefined);
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

describe('a process that hangs', () => {
  const { pauseMs, timeoutMs, maxSilences } = livenessPolicy;
  const foundAfterMs = maxSilences * (pauseMs + timeoutMs);
  /** Lives on for `ms`, in which all processes but those at `silent` answer. */
  const live = (ms: number, silent: string): void => {
    for (let step = 0; step < ms; step++) {
      clock.advance(1);
      for (const { url, answer } of probes.splice(0)) if (!url.includes(silent)) answer();
    }
  };

  test('is told, killed once, and started again as one that died, and the new one is watched', async () => {
    await started(2, true);
    live(foundAfterMs - 1, ':9101');
    expect(processes.started.map(({ signals }) => signals)).toEqual([[], [], []]);
    live(60_000, ':9101');
    expect(processes.started.map(({ signals }) => signals)).toEqual([['SIGKILL'], [], []]);
    processes.started[0]?.exit(null, 'SIGKILL');
    clock.advance(100);
    expect(states.slice(-3)).toEqual(['replica-0 hangs (silence)', 'replica-0 waiting', 'replica-0 starting']);
    processes.started[3]?.announce(9077, 9177);
    live(foundAfterMs, ':9177');
    expect(processes.started.map(({ signals }) => signals)).toEqual([['SIGKILL'], [], [], ['SIGKILL']]);
  });

  test('may be the gateway, which is asked where it listens', async () => {
    await started(1, true);
    live(foundAfterMs, 'http://[::1]:8002/livez');
    expect(states.at(-1)).toBe('gateway hangs (silence)');
    expect(processes.latest('gateway').signals).toEqual(['SIGKILL']);
  });

  test('before it listens is told after a time limit, killed once, and started again', () => {
    void platform(1).start();
    live(listenWithinMs - 1, 'nobody');
    expect(processes.started.map(({ signals }) => signals)).toEqual([[]]);
    live(listenWithinMs, 'nobody');
    expect(processes.started.map(({ signals }) => signals)).toEqual([['SIGKILL']]);
    processes.started[0]?.exit(null, 'SIGKILL');
    clock.advance(100);
    expect(states.slice(-3)).toEqual(['replica-0 hangs (start)', 'replica-0 waiting', 'replica-0 starting']);
    expect(processes.started).toHaveLength(2);
  });

  test('while its models load, silent from then on, is killed before it was ever ready', () => {
    void platform(1).start();
    processes.started[0]?.listen(9001, 9101);
    live(foundAfterMs - 1, ':9101');
    expect(processes.started.map(({ signals }) => signals)).toEqual([[]]);
    live(1, ':9101');
    expect(processes.started.map(({ signals }) => signals)).toEqual([['SIGKILL']]);
    expect(states.at(-1)).toBe('replica-0 hangs (silence)');
  });

  test.each([['at the first start'], ['at a restart']])(
    'but answers is left alone while its models load for ten minutes, %s',
    async (when) => {
      if (when === 'at a restart') {
        await started(1, true);
        processes.started[0]?.exit(1);
        clock.advance(100);
      } else void platform(1).start();
      processes.started.at(-1)?.listen(9077, 9177);
      live(600_000, 'nobody');
      expect(processes.started.flatMap(({ signals }) => signals)).toEqual([]);
    },
  );

  test('after it was asked to stop has the time that a drain may take', async () => {
    const local = await started(1, true);
    void local.stop();
    live(39_999, ':8002');
    expect(processes.latest('gateway').signals).toEqual(['SIGTERM']);
    expect(states.filter((state) => state.includes('hangs'))).toEqual([]);
    clock.advance(1);
    expect(processes.latest('gateway').signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('cannot be told from others where there is no metrics server: it is not watched', async () => {
    await started(1);
    expect([probes, clock.pendingTimers]).toEqual([[], 0]);
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
