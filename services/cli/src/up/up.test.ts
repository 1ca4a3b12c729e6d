import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@headrace/runtime/testing';
import pc from 'picocolors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UpFlags } from '../commands/up.js';
import { testIo } from '../testing/test-io.js';
import { Narrator } from './narrator.js';
import { planUp } from './plan.js';
import { renderSummary } from './summary.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-up-test-'));
  mkdirSync(join(folder, 'models/ranker/1'), { recursive: true });
  mkdirSync(join(folder, 'empty/.git'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const plan = (flags: Partial<UpFlags>) =>
  planUp({ grpcPort: 0, metricsPort: 0, workers: 1, host: '127.0.0.1', logLevel: 'warn', ...flags }, testIo({ cwd: folder }).io);

function table(text: string): string {
  writeFileSync(join(folder, 'table.yaml'), `apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\n${text}`);
  return 'table.yaml';
}

describe('the plan', () => {
  test('is refused with the flag to change when a port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(plan({ models: 'models', grpcPort: port })).rejects.toThrow(`port ${port} is taken: choose another with --grpc-port`);
    await expect(plan({ models: 'models', metricsPort: port })).rejects.toThrow(
      `port ${port} is taken: choose another with --metrics-port`,
    );
    server.close();
  });

  test.each<[string, Partial<UpFlags>, string]>([
    ['a folder that is not there', { models: 'nope' }, '--models nope: no such folder'],
    ['a folder without a model', { models: 'empty' }, '--models empty: no model in it'],
    ['a table that is not there', { models: 'models', config: 'nope.yaml' }, '--config nope.yaml: cannot be read (ENOENT)'],
    ['an address of another machine', { models: 'models', host: '203.0.113.7' }, '--host 203.0.113.7: no address of this machine'],
    ['one port for two', { models: 'models', grpcPort: 47_113, metricsPort: 47_113 }, 'are both 47113'],
  ])('is refused for %s', async (_, flags, message) => {
    await expect(plan(flags)).rejects.toThrow(message);
  });

  test('tells all mistakes of a table at once, by the rules of the gateway', async () => {
    const config = table('defaults: {timeoutMs: soon}\nmodels: [{name: m, idempotant: true}]\n');
    await expect(plan({ models: 'models', config })).rejects.toThrow(
      'table.yaml has 2 problems:\n  table.yaml: defaults.timeoutMs: expected an integer, got "soon"\n  table.yaml: models[0].idempotant: is unknown; did you mean "idempotent"?',
    );
  });

  test('lets a table name the replicas of this run, and no others', async () => {
    await expect(
      plan({ models: 'models', replicas: 2, config: table('models: [{name: m, backends: [replica-1]}]\n') }),
    ).resolves.toMatchObject({ instances: { length: 2 } });
    await expect(plan({ models: 'models', replicas: 2, config: table('models: [{name: m, backends: [replica-2]}]\n') })).rejects.toThrow(
      'no backend is called "replica-2"',
    );
  });

  test('starts no replicas for a table with backends of its own, unless asked to', async () => {
    const config = table('backends: [{name: gpu, address: "gpu:8001"}]\n');
    expect(await plan({ config })).toMatchObject({ models: undefined, instances: [] });
    expect((await plan({ config, models: 'models', replicas: 3 })).instances).toHaveLength(3);
  });
});

describe('the narrator', () => {
  function narrator(json = false) {
    const test = testIo({ clock: new FakeClock() });
    const made = new Narrator(test.io, { threshold: 'warn', json, replicas: 2 });
    made.begin();
    return { ...test, narrator: made };
  }
  const announced = { event: 'ready', grpcPort: 1, metricsPort: undefined } as const;
  const ready = { kind: 'ready', failures: 0, sinceMs: 0, announced } as const;
  const starting = { kind: 'starting', failures: 0, everReady: false } as const;

  test('tells progress as plain lines where there is no terminal', () => {
    const { narrator: told, stderr } = narrator();
    told.onModel('replica-0', { event: 'model', name: 'm', version: '1', state: 'loading', reason: '' });
    told.onModel('replica-0', { event: 'model', name: 'm', version: '1', state: 'ready', reason: '' });
    told.onState('replica-0', ready, starting);
    told.onState('replica-1', ready, starting);
    expect(stderr()).toBe(
      [
        'loading models, replicas ready: 0 of 2',
        'models loaded: 0 of 1, replicas ready: 0 of 2',
        'models loaded: 1 of 1, replicas ready: 0 of 2',
        'models loaded: 1 of 1, replicas ready: 1 of 2',
        'replicas ready, starting the gateway',
        '',
      ].join('\n'),
    );
  });

  test('tells a crash, the restart and nothing of what is below the threshold', () => {
    const { narrator: told, stderr } = narrator();
    told.endProgress();
    const exit = { code: null, signal: 'SIGKILL' } as const;
    told.onState('replica-1', { kind: 'waiting', failures: 1, everReady: true, untilMs: 1150, exit }, ready);
    told.onState('replica-1', ready, { ...starting, everReady: true });
    told.onLogLine('replica-1', '{"level":"info","message":"hello"}');
    told.onLogLine('replica-1', '{"level":"warn","message":"slow"}');
    expect(stderr().split('\n').slice(1)).toEqual([
      'warn replica-1 was killed by SIGKILL, starting it again in 150 ms',
      'ok   replica-1 is back',
      'replica-1 | warn slow',
      '',
    ]);
  });

  test('tells a process that hangs in one line', () => {
    const { narrator: told, stderr } = narrator();
    told.endProgress();
    told.onHung('replica-0', 'start');
    told.onHung('replica-1', 'silence');
    expect(stderr().split('\n').slice(1)).toEqual([
      'warn replica-0 hangs: it does not listen 60.0 s after its start, killing it',
      'warn replica-1 hangs: 3 health checks in a row were not answered within 2.00 s each, killing it',
      '',
    ]);
    const { narrator: json, stdout } = narrator(true);
    json.onHung('replica-1', 'silence');
    expect(JSON.parse(stdout())).toEqual({ event: 'hung', process: 'replica-1', hang: 'silence' });
  });

  test('speaks JSON lines to a script, and nothing else', () => {
    const { narrator: told, stdout, stderr } = narrator(true);
    told.onState('replica-1', { kind: 'stopped', gaveUp: true, exit: { code: 2, signal: null } }, starting);
    expect(JSON.parse(stdout())).toEqual({ event: 'gave-up', process: 'replica-1', code: 2, signal: null });
    expect(stderr()).toBe('');
  });
});

describe('the summary', () => {
  const spec = { name: 'ranker', versions: ['1'], platform: '', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }], outputs: [] };
  const base = { address: '127.0.0.1:8001', metricsUrl: 'http://127.0.0.1:8002/metrics', replicas: 2, tookMs: 1200 };
  const plain = pc.createColors(false);

  test('of a start with one good and one bad model', () => {
    const models = [
      { name: 'bad', version: '1', state: 'UNAVAILABLE', reason: 'not an ONNX file', spec: undefined },
      { name: 'ranker', version: '1', state: 'READY', reason: '', spec },
    ];
    const commands = [{ tool: 'headrace', command: 'npx headrace infer ranker --random' } as const];
    expect(renderSummary({ ...base, models, commands }, plain)).toBe(`
Headrace is ready at 127.0.0.1:8001 (2 replicas, after 1.20 s)
metrics at http://127.0.0.1:8002/metrics

  MODEL   VERSION  STATE        INPUTS          OUTPUTS
  bad           1  UNAVAILABLE
  ranker        1  READY        x FP32[any, 3]

  bad 1: not an ONNX file

# in a second terminal, from this folder
npx headrace infer ranker --random

Ctrl-C stops it; npx headrace top shows what it does.
`);
  });

  test('without a ready model does not claim to be ready', () => {
    const text = renderSummary(
      { ...base, models: [{ name: 'bad', version: '1', state: 'UNAVAILABLE', reason: 'r', spec: undefined }], commands: [] },
      plain,
    );
    expect(text).toContain('Headrace is up, without a model that is ready, at 127.0.0.1:8001');
    expect(text).toContain('load it with: npx headrace load NAME');
  });
});
