/** The raw peer, without the test runner: programs use it as well. */
export {
  grpcMessage,
  preface,
  rawContinuation,
  rawData,
  rawFrame,
  rawHeaders,
  rawPing,
  rawReset,
  rawSettings,
  rawWindowUpdate,
} from './raw-frames.js';
export { RawPeer } from './raw-peer.js';
