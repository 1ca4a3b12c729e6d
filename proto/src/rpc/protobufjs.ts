import { createRequire } from 'node:module';
import type protobuf from 'protobufjs';
import type descriptor from 'protobufjs/ext/descriptor/index.js';

const requireHere = createRequire(import.meta.url);
let loaded: typeof protobuf | undefined;

/**
 * protobufjs, loaded by whoever first needs it: a process that only scans and writes tensors, or prints its help, never
 * does. It comes by require because an import of it either happens at the start or is asynchronous, and codecs are not.
 */
export function protobufjs(): typeof protobuf {
  return (loaded ??= requireHere('protobufjs') as typeof protobuf);
}

/** protobufjs with its messages of google/protobuf/descriptor.proto. */
export function descriptorMessages(): typeof descriptor {
  return requireHere('protobufjs/ext/descriptor') as typeof descriptor;
}
