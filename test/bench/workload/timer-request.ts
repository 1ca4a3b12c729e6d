import type { ParameterValue } from '@headrace/proto';
import { inferMessage } from '../../harness/infer-message.js';

/** What the stand-in calls its model. */
export const timerModel = 'timer';

/** A ModelInferRequest of one row of 8 bytes. */
export function timerRequest(options: { readonly priority?: number } = {}): Buffer {
  const parameters: Record<string, ParameterValue> = options.priority === undefined ? {} : { priority: BigInt(options.priority) };
  return inferMessage(timerModel, [{ name: 'x', datatype: 'INT64', shape: [1, 1], raw: new Uint8Array(8) }], { parameters });
}
