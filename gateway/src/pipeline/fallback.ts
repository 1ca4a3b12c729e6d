import { requestParameter, scanInferRequest } from '@headrace/proto';
import type { InferRequestView } from '@headrace/proto';
import type { Refusal, RefusalReason } from '@headrace/runtime';
import { commonSignature } from '../batching/batchability.js';
import type { BackendView } from '../domain/backend-view.js';
import { policyOf } from '../domain/gateway-table.js';
import type { GatewayTable } from '../domain/gateway-table.js';

/** Down, or shed: another model helps. Not where the caller is at fault, or is at the end of its own quota. */
const helps: ReadonlySet<RefusalReason> = new Set([
  'OVERLOADED',
  'QUEUE_FULL',
  'DEADLINE_UNREACHABLE',
  'MODEL_NOT_FOUND',
  'MODEL_NOT_READY',
  'NO_BACKEND',
  'CIRCUIT_OPEN',
  'BACKEND_LOST',
]);

/**
 * The model that may answer a refused request: what its policy names, if that takes and gives the same tensors. Not for a
 * request of a sequence, whose state is at its model, nor for one that asks for a version.
 */
export function fallbackFor(
  view: InferRequestView,
  { reason }: Refusal,
  table: GatewayTable,
  backends: readonly BackendView[],
): string | undefined {
  const { fallback } = policyOf(table, view.modelName);
  if (fallback === undefined || !helps.has(reason) || view.modelVersion !== '') return undefined;
  if (view.parameters.get(requestParameter.sequenceId) !== undefined) return undefined;
  return fits(view.modelName, fallback, table, backends) ? fallback : undefined;
}

interface Compared {
  readonly table: GatewayTable;
  readonly backends: readonly BackendView[];
  readonly fits: Map<string, boolean>;
}

/** Refusals come in floods, and what is compared is replaced as a whole when it changes. */
let last: Compared | undefined;

function fits(model: string, fallback: string, table: GatewayTable, backends: readonly BackendView[]): boolean {
  if (last?.table !== table || last.backends !== backends) last = { table, backends, fits: new Map() };
  const known = last.fits.get(model);
  if (known !== undefined) return known;
  const same = takesAndGivesTheSame(model, fallback, table, backends);
  last.fits.set(model, same);
  return same;
}

/** Where the model is gone from all backends there is nothing to compare: the table's word counts. */
function takesAndGivesTheSame(model: string, fallback: string, table: GatewayTable, backends: readonly BackendView[]): boolean {
  const own = commonSignature(model, backends, policyOf(table, model));
  const other = commonSignature(fallback, backends, policyOf(table, fallback));
  return other !== undefined && (own === undefined || JSON.stringify(own) === JSON.stringify(other));
}

/**
 * The same request to another model. Of a scalar that a protobuf message has twice the last counts, so that the name is
 * written behind the message as it came.
 */
export function withModel(view: InferRequestView, model: string): InferRequestView | undefined {
  const name = Buffer.from(model);
  // A length as a varint of two bytes where one does not do; a table's names are no longer than that takes.
  const length = name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const scanned = scanInferRequest(Buffer.concat([view.bytes, Buffer.from([0x0a, ...length]), name]));
  return scanned.ok ? scanned.view : undefined;
}
