import type { WireName } from '@headrace/wire';
import { measureUsage } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startEcho } from '../subjects/echo.js';
import { runEchoClient } from '../subjects/echo-client.js';
import { echoBytes } from '../workload/echo-messages.js';
import type { Arm, BenchContext, Scenario } from './scenario.js';

const channels = 4;
const inFlight = 32;

/** The same echo server for each client: ours, so that it does not become what is waited for. */
function arm(context: BenchContext, wire: WireName): Arm {
  const { lengths, profileFolder } = context;
  return {
    name: wire,
    measure: async () => {
      const server = await startEcho({ wire: 'http2' });
      try {
        const times = { warmUpMs: lengths.warmUpS * 1000, durationMs: lengths.measureS * 1000 };
        const plan = { wire, address: server.address, channels, inFlight, ...times };
        const { result, otherCores } = await measureUsage(server.pids, () => runEchoClient(plan, profileFolder));
        return { cpuUsPerCall: result.cpuUs / result.calls, callsPerS: (result.calls * 1000) / result.elapsedMs, otherCores };
      } finally {
        await server.stop();
      }
    },
  };
}

export const echoClient: Scenario = {
  name: 'echo-client',
  title: `unary echo of ${echoBytes} bytes, ${channels} channels with ${inFlight} in flight each: what a call costs a client of each transport`,
  columns: [
    { key: 'cpuUsPerCall', title: 'client CPU us/call', digits: 1 },
    { key: 'callsPerS', title: 'calls/s', digits: 0 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) => [arm(context, 'http2'), arm(context, 'grpc-js')],
  judge: (rounds) => [
    judge({
      target: "grpc-js' client CPU per call / ours >= 8",
      rounds,
      compute: (of) => of('grpc-js', 'cpuUsPerCall') / of('http2', 'cpuUsPerCall'),
      bound: { atLeast: 8 },
    }),
  ],
};
