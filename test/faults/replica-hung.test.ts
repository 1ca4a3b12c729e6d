import { describe, expect, test } from 'vitest';
import { fp32Bytes, inferMessage, inferPath, paths, startLoad, startProcess } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { openChannel } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';
import { childrenOf } from './processes.js';

const model = 'slow_per_row';
type Event = Readonly<Record<string, unknown>>;
const event =
  (name: string, process?: unknown) =>
  (line: unknown): Event | undefined => {
    if (typeof line !== 'object' || line === null || !('event' in line) || line.event !== name) return undefined;
    const found = line as Event;
    return process === undefined || found['process'] === process ? found : undefined;
  };

describe('an inference process hangs under load, another alive', { timeout: 300_000 }, () => {
  test('it is found, killed and started again; every request is answered, by the other one meanwhile', async (context) => {
    if (process.platform !== 'linux') context.skip('finds the process to stop in /proc: Linux only');
    const models = await modelFolder(model);
    const ports = ['--grpc-port', '0', '--metrics-port', '0'];
    const args = ['up', '--json', '--models', models.path, '--replicas', '2', ...ports];
    const up = await startProcess(process.execPath, [paths.cliMain, ...args], { name: 'headrace up' });
    const ready = await up.announced('the platform', event('ready'), 120_000);
    const metricsPort = Number(new URL(String(ready['metricsUrl'])).port);
    const runs = async (backend: string): Promise<number> =>
      (await scrape(metricsPort)).sum('headrace_gateway_run_seconds_count', { backend, model });

    const channel = openChannel(String(ready['address']));
    let answered = 0;
    const load = startLoad({
      channel,
      path: inferPath,
      message: () => inferMessage(model, [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: fp32Bytes([1, 2, 3, 4]) }]),
      concurrency: 8,
      calls: 1_000_000,
      forMs: 200_000,
      timeoutMs: 60_000,
      onOutcome: ({ ok }) => void (answered += Number(ok)),
    });
    await until('runs on both replicas', async () => (await runs('replica-0')) >= 5 && (await runs('replica-1')) >= 5);

    const [victim] = childrenOf(up.pid, '--model-repository');
    if (victim === undefined) throw new Error('no inference process below headrace up');
    process.kill(victim, 'SIGSTOP');
    // It cannot notice that its parent is gone unless it goes on.
    context.onTestFailed(() => void process.kill(victim, 'SIGCONT'));
    const atStop = answered;
    await until('answers while it hangs', () => answered >= atStop + 20);
    const hung = await up.announced('that it hangs', event('hung'), 120_000);
    const replica = String(hung['process']);
    expect(await up.announced('its end', event('exited', replica))).toMatchObject({ signal: 'SIGKILL' });
    await up.announced('its restart', event('restarted', replica), 120_000);
    const before = await runs(replica);
    await until('traffic on the process that was started again', async () => (await runs(replica)) >= before + 5);
    load.stop();
    const result = await load.done;
    channel.close();
    const others = up.stdout.split('\n').filter((line) => line.includes('"hung"'));
    expect((await up.stop(60_000)).code).toBe(0);
    await models.remove();

    expect([...result.failures]).toEqual([]);
    expect(result.ok).toBe(result.sent);
    // The replica and the gateway that work hard all the while are not taken for hung.
    expect(others).toHaveLength(1);
  });
});
