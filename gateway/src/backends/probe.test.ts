import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import type { BackendModel } from '../domain/backend-view.js';
import { probe } from './probe.js';
import type { ProbeCaller } from './probe.js';

type Script = Readonly<Record<string, (request: unknown) => object | Refusal>>;

function isRefusal(answer: object): answer is Refusal {
  return 'reason' in answer && 'code' in answer;
}

/** Answers rare methods by their name; what the script lacks is UNIMPLEMENTED, as from a server of the core protocol. */
class ScriptedBackend implements ProbeCaller {
  readonly asked: string[] = [];
  readonly #script: Script;
  atOnce = 0;
  mostAtOnce = 0;

  constructor(script: Script) {
    this.#script = script;
  }

  call: ProbeCaller['call'] = async (method, request) => {
    const name = method.path.split('/').at(-1) ?? '';
    this.asked.push(name);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await Promise.resolve();
    this.atOnce -= 1;
    const found = this.#script[name]?.(request) ?? refuse('UNSUPPORTED_METHOD', 'no such method');
    if (isRefusal(found)) return { ok: false, refusal: found };
    // Through the codec and back: defaults are filled in as on a real wire.
    const response = method.response as unknown as { encode(value: object): Buffer; decode(bytes: Buffer): never };
    return { ok: true, value: response.decode(response.encode(found)) };
  };
}

const metadata = {
  name: 'm',
  versions: ['3'],
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '4'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1'] }],
};
const config = {
  config: { max_batch_size: 16, instance_group: [{ count: 2, gpus: [0, 1] }, { count: 0 }], input: [{ name: 'x', optional: true }] },
};
const ready: Script = { ServerReady: () => ({ ready: true }) };
const full: Script = {
  ...ready,
  RepositoryIndex: () => ({
    models: [
      { name: 'm', version: '3', state: 'READY' },
      { name: 'm', version: '2', state: 'UNAVAILABLE', reason: 'bad file' },
    ],
  }),
  ModelMetadata: () => metadata,
  ModelConfig: () => config,
};
const look = async (
  backend: ScriptedBackend,
  named: readonly string[] = [],
  known: ReadonlyMap<string, BackendModel> = new Map(),
  stale = false,
) => {
  const result = await probe(backend, named, known, () => stale);
  if (!result.ok) throw new Error(result.refusal.message);
  return result.value;
};

describe('probe', () => {
  it('reads versions, reasons, signature, batch size and instances', async () => {
    const { models } = await look(new ScriptedBackend(full));
    expect(models.get('m')).toEqual({
      name: 'm',
      readyVersions: ['3'],
      unready: new Map([['2', 'UNAVAILABLE: bad file']]),
      signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4], optional: true }], outputs: ['y'] },
      maxBatchRows: 16,
      // 2 on each of two GPUs, and one more.
      instances: 5,
    });
  });

  it('asks a server without an index for the models of the table, and takes versions from the metadata', async () => {
    const script: Script = {
      ...ready,
      ModelReady: (request) => ((request as { name: string }).name === 'm' ? { ready: true } : refuse('MODEL_NOT_FOUND', 'unknown')),
      ModelMetadata: () => metadata,
    };
    const first = await look(new ScriptedBackend(script), ['m', 'other']);
    expect([...first.models.keys()]).toEqual(['m']);
    expect(first.models.get('m')).toMatchObject({ readyVersions: ['3'], maxBatchRows: undefined, instances: undefined });
    const again = new ScriptedBackend(script);
    expect((await look(again, ['m'], first.models)).models.get('m')).toMatchObject({ readyVersions: ['3'] });
    expect(again.asked).not.toContain('ModelMetadata');
  });

  it('asks for details again when versions changed or they are stale, not else', async () => {
    const first = await look(new ScriptedBackend(full));
    const same = new ScriptedBackend(full);
    await look(same, [], first.models);
    expect(same.asked).toEqual(['ServerReady', 'RepositoryIndex']);
    const stale = new ScriptedBackend(full);
    await look(stale, [], first.models, true);
    expect(stale.asked).toContain('ModelConfig');
    const changed = new ScriptedBackend({ ...full, RepositoryIndex: () => ({ models: [{ name: 'm', version: '4', state: 'READY' }] }) });
    await look(changed, [], first.models);
    expect(changed.asked).toContain('ModelMetadata');
  });

  it('describes a thousand models a few at a time', async () => {
    const models = Array.from({ length: 1000 }, (_, i) => ({ name: `m${i}`, version: '1', state: 'READY' }));
    const backend = new ScriptedBackend({ ...full, RepositoryIndex: () => ({ models }) });
    expect((await look(backend)).models.size).toBe(1000);
    expect(backend.mostAtOnce).toBeLessThanOrEqual(8);
  });

  it('keeps what it knows of a server that says it is not ready, and fails with one that does not answer', async () => {
    const first = await look(new ScriptedBackend(full));
    const notReady = await look(new ScriptedBackend({ ServerReady: () => ({ ready: false }) }), [], first.models);
    expect(notReady).toEqual({ ready: false, models: first.models });
    const lost = await probe(new ScriptedBackend({ ServerReady: () => refuse('BACKEND_LOST', 'gone') }), [], new Map(), () => false);
    expect(lost).toMatchObject({ ok: false, refusal: { reason: 'BACKEND_LOST' } });
  });
});
