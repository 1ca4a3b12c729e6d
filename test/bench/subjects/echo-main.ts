import { silentLogger, systemClock } from '@headrace/runtime';
import { transportOf } from '@headrace/wire';
import { echoMethods } from './echo-methods.js';
import type { EchoPlan } from './echo-protocol.js';

/** `node echo-main.js PLAN`: says where it listens as Headrace's servers do, and ends at SIGTERM. */
async function main({ wire, tls }: EchoPlan): Promise<void> {
  const server = transportOf(wire, systemClock, silentLogger).createServer(tls === undefined ? {} : { tls });
  for (const method of echoMethods()) server.register(method);
  const { port } = await server.listen('127.0.0.1', 0);
  // By exit and not by the signal, so that a profile is written.
  process.once('SIGTERM', () => process.exit(0));
  console.log(JSON.stringify({ event: 'ready', grpcPort: port }));
}

await main(JSON.parse(process.argv[2] ?? '{}') as EchoPlan);
