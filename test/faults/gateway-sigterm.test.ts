import { setTimeout as sleep } from 'node:timers/promises';
import { buildRequest, readReply, startStandInBackend } from '@headrace/gateway/testing';
import { inferenceService } from '@headrace/proto';
import { describe, expect, test } from 'vitest';
import { GrpcJsClient, fp32Bytes, inferMessage, inferPath, startGateway, startLoad, startPlatform, tempDir } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { infer, openChannel, refusedOrLost } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { timesRun } from './stand-in-rows.js';
import { until } from '../harness/until.js';

/**
 * A call is accepted when the gateway took it: it then gets its answer, however long the drain takes. What is not
 * accepted is refused (DRAINING, or a connection that is gone) and is certain never to have been run.
 */
describe('the gateway is told to stop under load', { timeout: 180_000 }, () => {
  test('what it holds, running and waiting, is answered; what comes later is refused and never run', async () => {
    const backend = await startStandInBackend({ models: [{ name: 'm', overheadMs: 5, maxBatchRows: 4 }] });
    const folder = await tempDir('sigterm');
    const gateway = await startGateway({ folder: folder.path, table: { backends: [{ name: 'b', address: backend.address }] } });
    const held = 40;
    const channel = openChannel(gateway.address);
    backend.engine.hanging = true;
    const accepted = Array.from({ length: held }, (_, call) => infer(channel, buildRequest({ model: 'm', values: [BigInt(call)] })));
    await until('all are held', async () => (await scrape(gateway.metricsPort)).sum('headrace_gateway_held_requests') === held);

    gateway.process.kill('SIGTERM');
    await until('it drains', async () => (await fetch(`http://127.0.0.1:${gateway.metricsPort}/readyz`)).status === 503);
    // Refused at the latest once the gateway has closed its port to new connections, which it does first of all.
    const stranger = openChannel(gateway.address);
    const late = await infer(stranger, buildRequest({ model: 'm', values: [1000n] }), 20_000);
    expect(late.ok ? 'answered' : refusedOrLost(late)).toBe('refused');
    stranger.close();
    // Past every stage of the drain that gives up on somebody; what is held is held on.
    await sleep(2000);
    expect(gateway.process.exit).toBeUndefined();
    backend.engine.hanging = false;

    for (const [call, outcome] of (await Promise.all(accepted)).entries()) {
      expect(outcome.ok ? readReply(outcome.message).values : outcome.status).toEqual([BigInt(call)]);
    }
    channel.close();
    expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
    expect([...timesRun([backend.engine], 'm')].sort(([a], [b]) => a - b)).toEqual(Array.from({ length: held }, (_, call) => [call, 1]));
    await backend.kill();
    await folder.remove();
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s: each call is answered, or refused and never run', async (signal) => {
    const models = await modelFolder('slow_per_row');
    const platform = await startPlatform({ replicas: 2, models: models.path });
    const ran = async (): Promise<number> => {
      let rows = 0;
      for (const { address } of platform.replicas) {
        const client = new GrpcJsClient(address);
        const { message } = await client.call(inferenceService.methods.ModelStatistics, { name: 'slow_per_row' }, { timeoutMs: 60_000 });
        rows += Number(message.model_stats[0]?.inference_count);
        client.close();
      }
      return rows;
    };
    const before = await ran();
    const channel = openChannel(platform.address);
    let answered = 0;
    const refusals = new Set<string>();
    const load = startLoad({
      channel,
      path: inferPath,
      message: () => inferMessage('slow_per_row', [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: fp32Bytes([1, 2, 3, 4]) }]),
      concurrency: 32,
      calls: 1_000_000,
      forMs: 120_000,
      timeoutMs: 60_000,
      onOutcome: (outcome) => {
        if (outcome.ok) answered += 1;
        else {
          refusals.add(refusedOrLost(outcome));
          load.stop();
        }
      },
    });
    await until('answers', () => answered > 100);
    const exit = await platform.gateway.process.stop(60_000, signal);
    load.stop();
    const result = await load.done;
    channel.close();
    expect(exit).toEqual({ code: 0, signal: null });
    expect([...refusals].filter((what) => what !== 'refused')).toEqual([]);
    expect(result.ok).toBe(answered);
    // One row a call: whatever was run was answered.
    expect((await ran()) - before).toBe(answered);
    await platform.stop();
    await models.remove();
  });
});
