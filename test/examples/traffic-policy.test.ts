import { readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTrafficPolicy } from '@headrace/gateway';
import { inferenceService } from '@headrace/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcJsClient, fp32Bytes, freePort, paths, startProcess, tempDir } from '../harness/index.js';
import type { RunningProcess, TempDir } from '../harness/index.js';
import { readmeBlock } from './readme-blocks.js';

const { ModelInfer } = inferenceService.methods;
const request = {
  model_name: 'tiny',
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['1', '16'] }],
  raw_input_contents: [fp32Bytes(Array.from({ length: 16 }, () => 1))],
};

describe("the README's traffic policy", () => {
  let folder: TempDir;
  let platform: RunningProcess;
  let client: GrpcJsClient;
  beforeAll(async () => {
    folder = await tempDir('readme-policy');
    await cp(join(paths.models, 'tiny'), join(folder.path, 'models/tiny'), { recursive: true });
    await writeFile(join(folder.path, 'table.yaml'), `${readmeBlock('policy', 'yaml').join('\n')}\n`);
    const ports = ['--grpc-port', String(await freePort()), '--metrics-port', String(await freePort())];
    const args = [paths.cliMain, 'up', '--config', 'table.yaml', '--models', 'models', '--replicas', '1', ...ports];
    platform = await startProcess(process.execPath, args, { cwd: folder.path, env: { NO_COLOR: '1', FORCE_COLOR: undefined } });
    const ready = /Headrace is ready at (\S+)/;
    const address = await platform.waitFor('the ready line', ({ stdout }) => ready.exec(stdout)?.[1]);
    client = new GrpcJsClient(address);
  });
  afterAll(async () => {
    client.close();
    await platform.stop(30_000, 'SIGINT');
    await folder.remove();
  });

  const outcomes = (count: number, tenant: string): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, () =>
        client.call(ModelInfer, request, { metadata: { 'x-headrace-tenant': tenant } }).then(
          () => 'OK',
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        ),
      ),
    );

  test('is ten lines long', () => {
    expect(readmeBlock('policy', 'yaml')).toHaveLength(10);
  });

  test('lets acme send what a stranger may not', async () => {
    const [acme, stranger] = await Promise.all([outcomes(40, 'acme'), outcomes(40, 'stranger')]);
    expect(new Set(acme)).toEqual(new Set(['OK']));
    // A burst of four, and two a second for as long as this took.
    const refused = stranger.filter((each) => each.includes('requestsPerSecond: expected at most 2 after 4 at once'));
    expect(refused.length).toBeGreaterThan(0);
    expect(stranger.filter((each) => each === 'OK').length + refused.length).toBe(40);
  });
});

test('docs/examples/traffic-policy.yaml is a policy', () => {
  const text = readFileSync(join(paths.root, 'docs/examples/traffic-policy.yaml'), 'utf8');
  expect(parseTrafficPolicy(text, 'traffic-policy.yaml')).toMatchObject({ ok: true });
});
