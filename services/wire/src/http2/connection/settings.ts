import { defaultWindowBytes, errorCode, maxMaxFrameBytes, maxWindowBytes, minMaxFrameBytes, settingId } from '../frames/constants.js';
import { ConnectionError } from '../frames/errors.js';

/** What the peer announced (RFC 9113, section 6.5.2), with the values that hold until it does. */
export interface PeerSettings {
  headerTableBytes: number;
  maxConcurrentStreams: number;
  initialWindowBytes: number;
  maxFrameBytes: number;
  maxHeaderListBytes: number;
}

export function defaultPeerSettings(): PeerSettings {
  return {
    headerTableBytes: 4096,
    maxConcurrentStreams: Infinity,
    initialWindowBytes: defaultWindowBytes,
    maxFrameBytes: minMaxFrameBytes,
    maxHeaderListBytes: Infinity,
  };
}

/**
 * Applies the payload of one SETTINGS frame, in its order. Unknown settings are ignored. `onTableBytes` sees every value
 * of the header table, also the ones in between: the HPACK encoder owes the peer the smallest of them.
 */
export function applySettings(
  settings: PeerSettings,
  bytes: Buffer,
  start: number,
  end: number,
  peerIsServer: boolean,
  onTableBytes: (bytes: number) => void,
): void {
  for (let at = start; at < end; at += 6) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case settingId.headerTableSize:
        settings.headerTableBytes = value;
        onTableBytes(value);
        break;
      case settingId.enablePush:
        if (value > 1 || (peerIsServer && value === 1)) throw invalid('ENABLE_PUSH', peerIsServer ? '0' : '0 or 1', value);
        break;
      case settingId.maxConcurrentStreams:
        settings.maxConcurrentStreams = value;
        break;
      case settingId.initialWindowSize:
        if (value > maxWindowBytes) {
          throw new ConnectionError(errorCode.flowControlError, `INITIAL_WINDOW_SIZE: expected at most ${maxWindowBytes}, got ${value}`);
        }
        settings.initialWindowBytes = value;
        break;
      case settingId.maxFrameSize:
        if (value < minMaxFrameBytes || value > maxMaxFrameBytes) {
          throw invalid('MAX_FRAME_SIZE', `${minMaxFrameBytes} to ${maxMaxFrameBytes}`, value);
        }
        settings.maxFrameBytes = value;
        break;
      case settingId.maxHeaderListSize:
        settings.maxHeaderListBytes = value;
    }
  }
}

function invalid(name: string, expected: string, value: number): ConnectionError {
  return new ConnectionError(errorCode.protocolError, `${name}: expected ${expected}, got ${value}`);
}
