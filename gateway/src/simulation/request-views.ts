import { requestParameter, scanInferRequest, writeInferRequest } from '@headrace/proto';
import type { InferRequestView } from '@headrace/proto';
import { zeros } from './simulated-engine.js';

const maxViews = 1024;
const maxBytes = 16 * 1_048_576;

/** Encoded requests, one for all that ask alike: the pipeline borrows them and copies what it keeps, as it does from a socket. */
export class RequestViews {
  readonly #views = new Map<string, InferRequestView>();
  #bytes = 0;

  of(model: string, rows: number, priority: number | undefined): InferRequestView {
    const key = `${priority ?? ''}/${rows}/${model}`;
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const view = encode(model, rows, priority);
    if (this.#views.size >= maxViews || this.#bytes + view.bytes.length > maxBytes) {
      this.#views.clear();
      this.#bytes = 0;
    }
    this.#views.set(key, view);
    this.#bytes += view.bytes.length;
    return view;
  }
}

function encode(model: string, rows: number, priority: number | undefined): InferRequestView {
  const message = writeInferRequest({
    modelName: model,
    modelVersion: '',
    id: '',
    parameters: priority === undefined ? new Map() : new Map([[requestParameter.priority, BigInt(priority)]]),
    inputs: [{ name: 'x', datatype: 'INT8', shape: [rows, 1], data: [zeros(rows)] }],
    outputs: [],
  });
  const scanned = scanInferRequest(message);
  if (!scanned.ok) throw new Error(`a simulated request cannot be read: ${scanned.message}`);
  return scanned.view;
}
