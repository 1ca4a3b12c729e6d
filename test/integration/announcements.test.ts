import { describe, expect, test } from 'vitest';
import { paths, startGateway, startInference, startProcess, tempDir } from '../harness/index.js';
import type { RunningProcess } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';

interface Listening {
  readonly event: string;
  readonly grpcPort: number;
  readonly metricsPort: number;
}

/** Events in the order of their lines. */
const eventsOf = ({ stdout }: RunningProcess): readonly Listening[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Listening);

const listening = (line: unknown): Listening | undefined => {
  const event = line as Listening;
  return event.event === 'listening' ? event : undefined;
};

describe('with --announce', () => {
  test('an inference server that loads models says first where it listens, and answers /livez from then on', async () => {
    const models = await modelFolder('identity_float', 'tiny');
    const args = ['--model-repository', models.path, '--grpc-port', '0', '--metrics-port', '0', '--announce'];
    const server = await startProcess(process.execPath, [paths.inferenceMain, ...args], { name: 'inference' });
    const { metricsPort } = await server.announced('where it listens', listening);
    expect((await fetch(`http://127.0.0.1:${metricsPort}/livez`)).status).toBe(200);
    await server.announced('that it is ready', (line) => ((line as Listening).event === 'ready' ? true : undefined));
    const events = eventsOf(server);
    expect(events.map(({ event }) => event).filter((event, index, all) => event !== all[index - 1])).toEqual([
      'listening',
      'model',
      'ready',
    ]);
    expect(events[0]).toEqual({ event: 'listening', grpcPort: events.at(-1)?.grpcPort, metricsPort });
    await server.stop();
    await models.remove();
  });

  test('a gateway says where it listens, and then that a backend is ready', async () => {
    const models = await modelFolder('identity_float');
    const folder = await tempDir('announcements');
    const server = await startInference({ models: models.path });
    const gateway = await startGateway({ table: { backends: [{ name: 'only', address: server.address }] }, folder: folder.path });
    const events = eventsOf(gateway.process);
    expect(events.map(({ event }) => event)).toEqual(['listening', 'ready']);
    expect(events[0]).toMatchObject({ grpcPort: events[1]?.grpcPort, metricsPort: gateway.metricsPort });
    expect((await fetch(`http://127.0.0.1:${gateway.metricsPort}/livez`)).status).toBe(200);
    await gateway.process.stop();
    await server.process.stop();
    await folder.remove();
    await models.remove();
  });
});
