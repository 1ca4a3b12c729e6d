/**
 * A stand-in for both servers, as far as `headrace up` sees them: announces itself, logs, ends on SIGTERM.
 */
// Before the announcement: who reads it may send SIGTERM at once.
process.on('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 60_000);

process.stderr.write(`${JSON.stringify({ level: 'warn', message: 'stub is up', pid: process.pid })}\n`);
process.stdout.write(`${JSON.stringify({ event: 'model', name: 'stub', version: '1', state: 'READY', reason: '' })}\n`);
process.stdout.write(`${JSON.stringify({ event: 'ready', grpcPort: 40_000 + (process.pid % 1000), metricsPort: null })}\n`);
