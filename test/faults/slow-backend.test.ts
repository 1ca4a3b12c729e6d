import { buildRequest, startStandInBackend } from '@headrace/gateway/testing';
import { describe, expect, test } from 'vitest';
import { fp32Bytes, inferMessage, inferPath, startGateway, startLoad, startPlatform, tempDir } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { infer, openChannel } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';

const ejected = async (port: number | undefined, backend: string): Promise<{ readonly now: boolean; readonly times: number }> => {
  const page = await scrape(port);
  return {
    now: page.sum('headrace_gateway_backend_ejected', { backend }) === 1,
    times: page.sum('headrace_gateway_backend_ejections_total', { backend }),
  };
};

describe('a backend that becomes slow', { timeout: 240_000 }, () => {
  test('is set aside, gets nothing while it is, and has traffic again once it is fast', async () => {
    const models = [{ name: 'm', overheadMs: 10, maxBatchRows: 0 }];
    const [fast, slow] = [await startStandInBackend({ models }), await startStandInBackend({ models })];
    const folder = await tempDir('slow');
    const table = {
      backends: [
        { name: 'fast', address: fast.address },
        { name: 'slow', address: slow.address },
      ],
      routing: { slowStartMs: 0, outlier: { ejectMs: 10_000 } },
    };
    const gateway = await startGateway({ folder: folder.path, table });
    const channel = openChannel(gateway.address);
    const load = startLoad({
      channel,
      path: inferPath,
      message: (call) => buildRequest({ model: 'm', values: [BigInt(call)] }),
      concurrency: 4,
      calls: 1_000_000,
      forMs: 200_000,
      timeoutMs: 60_000,
    });
    await until('traffic on both', () => fast.engine.runs.length > 50 && slow.engine.runs.length > 50);
    const first = await ejected(gateway.metricsPort, 'slow');
    slow.engine.slowness = 50;
    // Between two looks that both find it set aside, by the same ejection, it got nothing, although work was done.
    await until('an ejection seen from within', async () => {
      const before = await ejected(gateway.metricsPort, 'slow');
      if (!before.now) return false;
      const [received, done] = [slow.engine.received, fast.engine.runs.length];
      // Some 10 ms each: long enough for the slow one to end its runs of 500 ms and to be asked again, were it asked.
      await until('work elsewhere', () => fast.engine.runs.length > done + 150);
      const receivedNow = slow.engine.received;
      const after = await ejected(gateway.metricsPort, 'slow');
      if (!after.now || after.times !== before.times) return false;
      expect(receivedNow).toBe(received);
      return true;
    });
    slow.engine.slowness = 1;
    await until('the end of the ejection', async () => !(await ejected(gateway.metricsPort, 'slow')).now);
    const back = slow.engine.runs.length;
    await until('traffic on it again', () => slow.engine.runs.length > back + 50);
    load.stop();
    const result = await load.done;
    channel.close();
    const last = await ejected(gateway.metricsPort, 'slow');
    const innocent = await ejected(gateway.metricsPort, 'fast');
    await gateway.process.stop();
    await Promise.all([fast.kill(), slow.kill()]);
    await folder.remove();

    expect(result.ok).toBe(result.sent);
    expect(last.times).toBeGreaterThan(first.times);
    expect(last.now).toBe(false);
    expect(innocent.now).toBe(false);
  });

  test('an inference process that stands still is left out, and is used again when it moves on', async () => {
    const models = await modelFolder('slow_per_row');
    const platform = await startPlatform({ replicas: 2, models: models.path, table: { defaults: { timeoutMs: 120_000 } } });
    const { metricsPort } = platform.gateway;
    const message = (): Buffer =>
      inferMessage('slow_per_row', [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: fp32Bytes([1, 2, 3, 4]) }]);
    const channel = openChannel(platform.address);
    const load = startLoad({ channel, path: inferPath, message, concurrency: 8, calls: 1_000_000, forMs: 200_000, timeoutMs: 120_000 });
    const runs = async (): Promise<number> =>
      (await scrape(metricsPort)).sum('headrace_gateway_run_seconds_count', { backend: 'replica-1' });
    const out = async (): Promise<boolean> => {
      const page = await scrape(metricsPort);
      return (
        page.sum('headrace_gateway_backend_ejected', { backend: 'replica-1' }) === 1 ||
        page.sum('headrace_gateway_backend_ready', { backend: 'replica-1' }) === 0
      );
    };
    await until('traffic on it', async () => (await runs()) > 20);
    const [, halted] = platform.replicas;
    halted?.process.kill('SIGSTOP');
    try {
      await until('that it is left out', out);
      // Probes may find it once more in between; whoever is sent there waits no longer than it stands still.
      const answers = await Promise.all(Array.from({ length: 20 }, () => infer(channel, message(), 120_000)));
      expect(answers.filter(({ ok }) => !ok)).toEqual([]);
    } finally {
      halted?.process.kill('SIGCONT');
    }
    await until('that it is back', async () => !(await out()));
    const back = await runs();
    await until('traffic on it again', async () => (await runs()) > back + 20);
    load.stop();
    const result = await load.done;
    channel.close();
    await platform.stop();
    await models.remove();
    expect([result.ok, Object.fromEntries(result.failures)]).toEqual([result.sent, {}]);
  });
});
