// Imported: the global of that name is an accessor, and looked up each time.
import { Buffer } from 'node:buffer';
import type { InferRequestView } from '@headrace/proto';

/** With a copy of the message, however long the original lives. */
export function ownView(view: InferRequestView): InferRequestView {
  const { bytes, modelName, modelVersion, id, parameters, inputs, outputs, rawInputCount, form } = view;
  return { bytes: Buffer.from(bytes), modelName, modelVersion, id, parameters, inputs, outputs, rawInputCount, form };
}
