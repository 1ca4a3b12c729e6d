import { silentLogger, systemClock } from '@headrace/runtime';
import { http2Transport } from '@headrace/wire';
import { largeBytes, servedPaths } from './served-paths.js';

/**
 * `node server-main.js`: the server under attack, alone in its process so that its memory and its event loop are its own. Says
 * `{"event":"ready","port":N}` and serves until SIGTERM. Time limits are short: an attack that waits for one should end within a measurement.
 */
const maxHeldBytes = 64 * 1024 * 1024;
const server = http2Transport(systemClock, silentLogger, { maxHeldBytes }).createServer({
  maxConcurrentStreams: 1024,
  limits: { headerTimeoutMs: 500, bodyIdleTimeoutMs: 500, stallTimeoutMs: 500 },
});
server.register({ kind: 'unary', path: servedPaths.echo, handle: (message, call) => call.reply(Buffer.from(message)) });
server.register({ kind: 'unary', path: servedPaths.hold, handle: (_message, call) => call.onCancel(() => {}) });
server.register({ kind: 'unary', path: servedPaths.large, handle: (_message, call) => call.reply(Buffer.alloc(largeBytes, 1)) });
const { port } = await server.listen('127.0.0.1', 0);
process.stdout.write(`${JSON.stringify({ event: 'ready', port })}\n`);
process.once('SIGTERM', () => void server.drain(0).then(() => process.exit(0)));
