import type { WarmupSetting } from '../config/settings.js';
import type { TensorInTransit } from '../instance/protocol.js';
import type { ModelSignature } from '../tensors/signature.js';
import { rowMismatch } from './compare-rows.js';
import { madeUpInputs, seededRandom } from './made-up-inputs.js';

export type RunOnce = (inputs: readonly TensorInTransit[]) => Promise<readonly TensorInTransit[]>;

export type BatchCheck = { readonly mayMerge: true } | { readonly mayMerge: false; readonly reason: string };

/**
 * Whether two rows at once give what two single runs give, tried on the loaded model. A softmax over axis 0 has the
 * metadata of a batchable model and is none: only a run tells.
 */
export async function checkBatching(signature: ModelSignature, run: RunOnce, stated: WarmupSetting | undefined): Promise<BatchCheck> {
  const shapes = batchAxisProblem(signature);
  if (shapes !== undefined) return { mayMerge: false, reason: shapes };
  try {
    const random = seededRandom(1);
    const first = madeUpInputs(signature, 1, random, stated);
    const second = madeUpInputs(signature, 1, random, stated);
    const pair = first.map((tensor, index) => joined(tensor, second[index] ?? tensor));
    const together = await run(pair);
    const mismatch = rowMismatch(signature.outputs, together, await run(first), await run(second));
    return mismatch === undefined ? { mayMerge: true } : { mayMerge: false, reason: mismatch };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { mayMerge: false, reason: `it could not be tried with made-up inputs (state shapes in warmup): ${message}` };
  }
}

/** Every tensor of a batchable model starts with an open dimension. */
export function batchAxisProblem(signature: ModelSignature): string | undefined {
  for (const [role, tensors] of [
    ['input', signature.inputs],
    ['output', signature.outputs],
  ] as const) {
    for (const { name, shape } of tensors) {
      // An output of unknown rank reads [] here; the run above tells.
      if (role === 'output' && shape.length === 0) continue;
      if (shape[0] !== -1) return `${role} ${JSON.stringify(name)} has shape [${shape.join(',')}], expected an open first dimension (-1)`;
    }
  }
  return undefined;
}

function joined(first: TensorInTransit, second: TensorInTransit): TensorInTransit {
  const byteLength = first.byteLength + second.byteLength;
  const buffer = new ArrayBuffer(byteLength);
  new Uint8Array(buffer).set(new Uint8Array(first.buffer, 0, first.byteLength));
  new Uint8Array(buffer).set(new Uint8Array(second.buffer, 0, second.byteLength), first.byteLength);
  return { buffer, byteLength, shape: [(first.shape[0] ?? 0) + (second.shape[0] ?? 0), ...first.shape.slice(1)] };
}
