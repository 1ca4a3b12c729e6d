import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  exactFractions,
  fp32,
  need,
  paths,
  referenceFp32,
  runPython,
  startGateway,
  startKserve,
  startMlserver,
  tempDir,
} from '../harness/index.js';
import type { Peer, RunningGateway, TempDir } from '../harness/index.js';

const servers = { mlserver: startMlserver, kserve: startKserve } as const;
const modelFile = (name: string): string => join(paths.models, name, '1', 'model.onnx');
const models = { tiny: modelFile('tiny'), identity_float: modelFile('identity_float') };
const maxBatchRows = 8;

interface Setup {
  readonly peer: Peer;
  readonly gateway: RunningGateway;
  readonly folder: TempDir;
}

/** The gateway in front of a model server that nobody here wrote, which serves the same ONNX files. */
describe.each(Object.keys(servers) as (keyof typeof servers)[])('the gateway in front of %s', (name) => {
  let starting: Promise<Setup> | undefined;
  const setUp = async (peer: Promise<Peer>): Promise<Setup> => {
    const started = await peer;
    const folder = await tempDir('foreign');
    const table = {
      backends: [{ name, address: started.address }],
      // Servers without ModelConfig do not say what they batch: identity_float is declared here, tiny is not.
      models: [{ name: 'tiny' }, { name: 'identity_float', batching: { maxBatchRows } }],
    };
    return { peer: started, folder, gateway: await startGateway({ table, folder: folder.path }) };
  };
  type Context = Parameters<typeof need>[0];
  const address = async (context: Context): Promise<string> => {
    const tool = await need(context, name);
    starting ??= setUp(servers[name](tool, { models }));
    return (await starting).gateway.address;
  };
  afterAll(async () => {
    if (starting === undefined) return;
    const { peer, gateway, folder } = await starting;
    await gateway.process.stop();
    await peer.stop();
    await folder.remove();
  });
  const run = async (context: Context, program: string, ...args: readonly string[]): Promise<unknown> => {
    const python = await need(context, 'pythonClients');
    return runPython(python, program, ['--address', await address(context), ...args]);
  };

  test('gives the prediction that onnxruntime gives', async (context) => {
    const input = fp32('x', [exactFractions(16), exactFractions(16, 2)]);
    const expected = await referenceFp32('tiny', { name: 'x', shape: input.shape, data: input.data as number[] }, 'y');
    expect(await run(context, 'triton_sync.py', 'infer', 'tiny', '--inputs', JSON.stringify([input]), '--id', 'f1')).toMatchObject({
      model: 'tiny',
      id: 'f1',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 4], data: expected.map((value) => expect.closeTo(value, 5) as number) }],
    });
  });

  test('passes metadata on', async (context) => {
    expect(await run(context, 'triton_sync.py', 'model', 'tiny')).toMatchObject({
      ready: true,
      metadata: { name: 'tiny', inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '16'] }] },
    });
  });

  test('names a model that is not there', async (context) => {
    const args = ['infer', 'absent', '--inputs', JSON.stringify([fp32('x', [[1]])])];
    expect(await run(context, 'triton_sync.py', ...args)).toMatchObject({ error: { status: 'StatusCode.NOT_FOUND' } });
  });

  test('batches what the table declares, and each caller gets its own rows', async (context) => {
    expect(await run(context, 'triton_aio.py', 'identity_float', '--calls', '200', '--max-rows', '3')).toEqual({
      calls: 200,
      outcomes: { ok: 200 },
    });
    const { gateway } = await (starting ?? Promise.reject(new Error('not started')));
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text();
    const rows = metric(metrics, /^\w*batch_rows_sum\{[^}]*identity_float[^}]*\} (\S+)$/m);
    const batches = metric(metrics, /^\w*batch_rows_count\{[^}]*identity_float[^}]*\} (\S+)$/m);
    expect(rows).toBe(400 - 1);
    expect(batches).toBeLessThan(200);
  });
});

function metric(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1]);
}
