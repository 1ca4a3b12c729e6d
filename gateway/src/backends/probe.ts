import { inferenceService } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import type { BackendModel } from '../domain/backend-view.js';
import { modelState } from '../domain/model-state.js';
import type { MethodCodec } from './caller.js';
import { describeModel } from './describe-model.js';

/** Calls one rare method on the backend that is probed. */
export interface ProbeCaller {
  call<Request, Response>(method: MethodCodec<Request, Response>, request: Request): Promise<Result<Response>>;
}

export interface Probed {
  readonly ready: boolean;
  readonly models: ReadonlyMap<string, BackendModel>;
}

/** What a backend says of a model before details are asked for. */
interface Listed {
  readonly readyVersions: string[];
  readonly unready: Map<string, string>;
}

/** A server with more models than this is read up to here: the answer of a backend is input like any other. */
const maxModels = 20_000;
const { methods } = inferenceService;

/**
 * One look at a backend. Works with servers that implement the core methods only: without RepositoryIndex it asks
 * ModelReady for the models that the table names.
 *
 * `known` keeps a model's details while its ready versions stay the same; `stale` names those to ask for again.
 */
export async function probe(
  caller: ProbeCaller,
  named: readonly string[],
  known: ReadonlyMap<string, BackendModel>,
  stale: (model: string) => boolean,
): Promise<Result<Probed>> {
  const ready = await caller.call(methods.ServerReady, {});
  if (!ready.ok) return ready;
  if (!ready.value.ready) return { ok: true, value: { ready: false, models: known } };
  const listed = await list(caller, named);
  if (!listed.ok) return listed;
  return { ok: true, value: { ready: true, models: await describeAll(caller, listed.value, known, stale) } };
}

async function list(caller: ProbeCaller, named: readonly string[]): Promise<Result<Map<string, Listed>>> {
  const index = await caller.call(methods.RepositoryIndex, {});
  if (!index.ok) return index.refusal.code === statusCode.UNIMPLEMENTED ? askEach(caller, named) : index;
  const listed = new Map<string, Listed>();
  for (const { name, version, state: sent, reason } of index.value.models) {
    const state = modelState(sent);
    const entry = listed.get(name) ?? { readyVersions: [], unready: new Map<string, string>() };
    if (listed.size >= maxModels && !listed.has(name)) continue;
    if (state === 'READY') entry.readyVersions.push(version);
    else entry.unready.set(version, reason === '' ? state : `${state}: ${reason}`);
    listed.set(name, entry);
  }
  return { ok: true, value: listed };
}

/** NOT_FOUND means that the server lacks the model; other failures are the server's. */
async function askEach(caller: ProbeCaller, named: readonly string[]): Promise<Result<Map<string, Listed>>> {
  const listed = new Map<string, Listed>();
  for (const name of named) {
    const ready = await caller.call(methods.ModelReady, { name, version: '' });
    if (ready.ok)
      listed.set(
        name,
        ready.value.ready ? { readyVersions: [''], unready: new Map() } : { readyVersions: [], unready: new Map([['', 'NOT_READY']]) },
      );
    else if (ready.refusal.code === statusCode.UNAVAILABLE || ready.refusal.code === statusCode.DEADLINE_EXCEEDED) return ready;
  }
  return { ok: true, value: listed };
}

/** Details are asked for four models at a time: a thousand models do not become a thousand calls at once. */
async function describeAll(
  caller: ProbeCaller,
  listed: ReadonlyMap<string, Listed>,
  known: ReadonlyMap<string, BackendModel>,
  stale: (model: string) => boolean,
): Promise<ReadonlyMap<string, BackendModel>> {
  const found = new Map<string, BackendModel>();
  const toAsk: [string, Listed][] = [];
  for (const [name, entry] of listed) {
    const before = known.get(name);
    // Placeholder keeps the order of the index while details arrive; a server without an index told its versions there.
    const readyVersions =
      unversioned(entry) && before !== undefined && before.readyVersions.length > 0 ? before.readyVersions : entry.readyVersions;
    found.set(name, {
      name,
      ...entry,
      readyVersions,
      signature: before?.signature,
      maxBatchRows: before?.maxBatchRows,
      instances: before?.instances,
    });
    if (entry.readyVersions.length === 0) continue;
    if (before === undefined || stale(name) || before.signature === undefined || !sameVersions(before, entry)) toAsk.push([name, entry]);
  }
  const worker = async (): Promise<void> => {
    for (let next = toAsk.pop(); next !== undefined; next = toAsk.pop()) {
      found.set(next[0], { name: next[0], ...next[1], ...(await describeModel(caller, next[0], next[1].readyVersions)) });
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return found;
}

function unversioned({ readyVersions }: Listed): boolean {
  return readyVersions.length === 1 && readyVersions[0] === '';
}

/** Without an index the versions come from the metadata, so that they cannot be compared with [""]. */
function sameVersions(before: BackendModel, now: Listed): boolean {
  if (unversioned(now)) return before.readyVersions.length > 0;
  return (
    before.readyVersions.length === now.readyVersions.length && before.readyVersions.every((version) => now.readyVersions.includes(version))
  );
}
