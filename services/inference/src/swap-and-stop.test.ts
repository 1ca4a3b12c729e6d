import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inferenceService, writeInferRequest } from '@headrace/proto';
import { afterEach, describe, expect, it } from 'vitest';
import { InferenceClient, TestRepository, floats, requestOf } from './testing/index.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const graph = (name: string): string => fileURLToPath(new URL(`../../../test/models/${name}/1/model.onnx`, import.meta.url));

interface Running {
  readonly process: ChildProcess;
  readonly port: number;
  readonly exit: Promise<number | string>;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

async function startProcess(repository: TestRepository, ...flags: string[]): Promise<Running> {
  const child = spawn(
    process.execPath,
    [main, '--model-repository', repository.path, '--grpc-port', '0', '--announce', '--log-level', 'error', '--cpu-quota', '1', ...flags],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  running.add(child);
  const exit = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve(code ?? signal ?? 'unknown');
    });
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { event: string; grpcPort: number };
    if (event.event === 'ready') {
      child.stdout.resume();
      return { process: child, port: event.grpcPort, exit };
    }
  }
  throw new Error(`the server ended before it was ready: ${await exit}`);
}

function residentMiB(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

describe('the server as a process', () => {
  it('20 SIGTERMs under load: exit code 0, and no accepted request goes unanswered', async () => {
    const repository = new TestRepository()
      .add('slow_per_row', 1, graph('slow_per_row'))
      .write('slow_per_row/model.yaml', 'batching: { maxBatchSize: 4 }');
    try {
      for (let round = 0; round < 20; round++) {
        const server = await startProcess(repository);
        const client = new InferenceClient(server.port);
        const unanswered: string[] = [];
        const message = writeInferRequest(requestOf({ model: 'slow_per_row', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] }));
        const callers = Array.from({ length: 8 }, async () => {
          for (;;) {
            const outcome = await client.raw(inferenceService.methods.ModelInfer.path, message);
            if (outcome.ok) continue;
            // A call that certainly never reached a handler is how a client learns that the server went away.
            if (!outcome.notProcessed) unanswered.push(`${outcome.status.code}: ${outcome.status.message}`);
            return;
          }
        });
        // In the middle of it: at least one answer came, more are on their way.
        await client.infer({ model: 'slow_per_row', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] });
        server.process.kill('SIGTERM');
        expect(await server.exit).toBe(0);
        await Promise.all(callers);
        client.close();
        expect(unanswered).toEqual([]);
      }
    } finally {
      repository.remove();
    }
  }, 240_000);

  it('50 swaps under load leave resident memory flat', async () => {
    const repository = new TestRepository().add('m', 1, graph('tiny')).write('m/model.yaml', 'batching: { maxBatchSize: 32 }');
    try {
      const server = await startProcess(repository);
      const client = new InferenceClient(server.port);
      let stop = false;
      const callers = Array.from({ length: 4 }, async () => {
        while (!stop)
          expect(
            (
              await client.infer({
                model: 'm',
                inputs: [
                  floats(
                    'x',
                    [1, 16],
                    Array.from({ length: 16 }, () => 1),
                  ),
                ],
              })
            ).ok,
          ).toBe(true);
      });
      const resident: number[] = [];
      for (let swap = 1; swap <= 50; swap++) {
        utimesSync(join(repository.path, 'm/1/model.onnx'), swap, swap);
        await client.call('RepositoryModelLoad', { model_name: 'm' });
        resident.push(residentMiB(server.process.pid));
      }
      stop = true;
      await Promise.all(callers);
      client.close();
      server.process.kill('SIGTERM');
      expect(await server.exit).toBe(0);
      // What grows with each swap would show as a slope: the last ten against those after the heap settled.
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean(resident.slice(40)) - mean(resident.slice(20, 30))).toBeLessThan(24);
    } finally {
      repository.remove();
    }
  }, 60_000);

  it('a run that hangs beyond the grace ends the process with 137, not with a crash inside native code', async () => {
    const repository = new TestRepository()
      .add('m', 1, graph('slow_per_row'))
      .write('m/model.yaml', 'batching: { maxBatchSize: 65536 }\nwarmup: [{ rows: 1 }]');
    try {
      const server = await startProcess(repository, '--grace-ms', '50', '--log-level', 'silent');
      const client = new InferenceClient(server.port);
      // 20,000 rows of 2 ms: far longer than any grace.
      const answer = client.infer({
        model: 'm',
        inputs: [
          floats(
            'x',
            [20_000, 4],
            Array.from({ length: 80_000 }, () => 1),
          ),
        ],
      });
      await client.infer({ model: 'm', inputs: [floats('x', [1, 4], [1, 2, 3, 4])], parameters: { timeout: 1000n } });
      server.process.kill('SIGTERM');
      expect(await server.exit).toBe('SIGKILL');
      expect((await answer).ok).toBe(false);
      client.close();
    } finally {
      repository.remove();
    }
  }, 60_000);

  it('a taken port is told with the flag that changes it', async () => {
    const repository = new TestRepository();
    try {
      const first = await startProcess(repository);
      const child = spawn(process.execPath, [main, '--model-repository', repository.path, '--grpc-port', String(first.port)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
      expect(stderr).toMatch(/EADDRINUSE.*choose another port with --grpc-port/s);
      first.process.kill('SIGTERM');
      expect(await first.exit).toBe(0);
    } finally {
      repository.remove();
    }
  }, 20_000);
});
