import { clientPreface, defaultWindowBytes, settingId } from '../frames/constants.js';
import { writeSettings, writeWindowUpdate } from '../frames/frame-writer.js';
import type { Output } from '../frames/output.js';
import type { ConnectionLimits } from './limits.js';

/** The first words of either side (RFC 9113, section 3.4): preface (client), our SETTINGS, and the window of the connection as large as we want it. */
export function writeIntroduction(output: Output, isServer: boolean, limits: ConnectionLimits): void {
  if (!isServer) output.bytes(clientPreface);
  writeSettings(output, [
    ...(isServer ? [[settingId.maxConcurrentStreams, limits.maxConcurrentStreams] as const] : [[settingId.enablePush, 0] as const]),
    [settingId.initialWindowSize, limits.streamWindowBytes],
    [settingId.maxFrameSize, limits.maxFrameBytes],
    [settingId.maxHeaderListSize, limits.maxHeaderListBytes],
  ]);
  if (limits.connectionWindowBytes > defaultWindowBytes) writeWindowUpdate(output, 0, limits.connectionWindowBytes - defaultWindowBytes);
}
