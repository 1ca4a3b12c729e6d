export { Random } from './random.js';
export { mutateMessage } from './wire-mutator.js';
export { parseTree, requestShape, responseShape, varintBytes, writeTree } from './wire-tree.js';
export type { WireRecord, WireShape } from './wire-tree.js';
