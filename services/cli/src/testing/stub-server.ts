/**
 * A stand-in for both servers, as far as `headrace up` sees them: announces itself, logs, ends on SIGTERM. STUB_CRASH_ONCE_FILE names a file: the first process that does not find it makes it and dies.
 */
import { existsSync, writeFileSync } from 'node:fs';

const crashFile = process.env['STUB_CRASH_ONCE_FILE'];
process.stderr.write(`${JSON.stringify({ level: 'warn', message: 'stub is up', pid: process.pid })}\n`);
process.stdout.write(`${JSON.stringify({ event: 'model', name: 'stub', version: '1', state: 'READY', reason: '' })}\n`);
process.stdout.write(`${JSON.stringify({ event: 'ready', grpcPort: 40_000 + (process.pid % 1000), metricsPort: null })}\n`);
if (crashFile !== undefined && !existsSync(crashFile)) {
  writeFileSync(crashFile, '');
  process.kill(process.pid, 'SIGKILL');
}
const leave = (): void => process.exit(0);
process.on('SIGTERM', leave);
setInterval(() => undefined, 60_000);
