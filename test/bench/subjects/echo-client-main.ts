import { systemClock } from '@headrace/runtime';
import { transportOf } from '@headrace/wire';
import type { Channel } from '@headrace/wire';
import { echoBytes } from '../workload/echo-messages.js';
import { echoPath } from './echo-protocol.js';
import type { EchoClientPlan, EchoClientResult } from './echo-protocol.js';

/** Closed loops over all channels for so long; resolves with the calls answered. The first error ends it. */
async function load(channels: readonly Channel[], inFlight: number, forMs: number): Promise<number> {
  const message = Buffer.alloc(echoBytes, 'echo');
  const endMs = performance.now() + forMs;
  let calls = 0;
  const lane = (channel: Channel): Promise<void> =>
    new Promise((resolve, reject) => {
      // By callbacks: a promise for each call would be counted as the transport's work.
      const next = (): void => {
        channel.unary(echoPath, message, {}, (outcome) => {
          if (!outcome.ok) return reject(new Error(`the echo failed: ${outcome.status.code} ${outcome.status.message}`));
          if (outcome.message.length !== echoBytes)
            return reject(new Error(`an echo of ${outcome.message.length} bytes, not ${echoBytes}`));
          calls++;
          if (performance.now() < endMs) next();
          else resolve();
        });
      };
      next();
    });
  await Promise.all(channels.flatMap((channel) => Array.from({ length: inFlight }, () => lane(channel))));
  return calls;
}

/** `node echo-client-main.js PLAN`: a process of its own, so that nothing else is in its CPU time. */
async function main(plan: EchoClientPlan): Promise<void> {
  const transport = transportOf(plan.wire, systemClock);
  const channels = Array.from({ length: plan.channels }, () => transport.openChannel(plan.address, {}));
  await load(channels, plan.inFlight, plan.warmUpMs);
  const began = { ms: performance.now(), cpu: process.cpuUsage() };
  const calls = await load(channels, plan.inFlight, plan.durationMs);
  const { user, system } = process.cpuUsage(began.cpu);
  const result: EchoClientResult = { calls, elapsedMs: performance.now() - began.ms, cpuUs: user + system };
  console.log(JSON.stringify(result));
  for (const channel of channels) channel.close();
}

await main(JSON.parse(process.argv[2] ?? '{}') as EchoClientPlan);
