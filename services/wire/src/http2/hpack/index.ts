export { HpackDecoder } from './decoder.js';
export type { HpackDecoderOptions } from './decoder.js';
export type { DecodedBlock } from './decoded-blocks.js';
export { HpackEncoder } from './encoder.js';
export type { HpackEncoderOptions } from './encoder.js';
export { HpackError } from './errors.js';
export type { HeaderFields } from './header-fields.js';
