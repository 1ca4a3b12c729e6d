import { startStandInBackend } from '@headrace/gateway/testing';

/**
 * An inference server that plays t(b) = a + k b, as a process of its own:
 *
 *     node stand-in-main.js OVERHEAD_MS PER_ROW_MS MODEL [MAX_BATCH_ROWS [INSTANCES]]
 *
 * It announces its port as the inference server does, and ends on SIGTERM.
 */
const [overheadMs, perRowMs, name, maxBatchRows = '32', instances = '1'] = process.argv.slice(2);
if (overheadMs === undefined || perRowMs === undefined || name === undefined) throw new Error('expected OVERHEAD_MS PER_ROW_MS MODEL');
const backend = await startStandInBackend({
  models: [
    {
      name,
      overheadMs: Number(overheadMs),
      perRowMs: Number(perRowMs),
      maxBatchRows: Number(maxBatchRows),
      instances: Number(instances),
    },
  ],
});
process.once('SIGTERM', () => void backend.kill().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ event: 'ready', grpcPort: backend.port })}\n`);
