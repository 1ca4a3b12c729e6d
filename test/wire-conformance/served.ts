import { fileDescriptorProtos } from '@headrace/proto';
import { silentLogger, systemClock } from '@headrace/runtime';
import { http2Transport, registerHealth, registerReflection } from '@headrace/wire';
import type { MethodHandler, ServerOptions } from '@headrace/wire';
import { echoService } from './echo-service.js';
import type { EchoService } from './echo-service.js';

export interface Served {
  readonly port: number;
  readonly address: string;
  readonly echo: EchoService;
  stop(): Promise<void>;
}

/** Our server with the echo service, health, reflection and what else is given. */
export async function serveEcho(options: ServerOptions = {}, more: readonly MethodHandler[] = []): Promise<Served> {
  const echo = echoService();
  const server = http2Transport(systemClock, silentLogger).createServer(options);
  for (const method of [...echo.methods, ...more]) server.register(method);
  registerHealth(server, { check: (name) => (name === '' ? 'SERVING' : undefined), onChange: () => () => {} });
  registerReflection(server, fileDescriptorProtos());
  const { port } = await server.listen('127.0.0.1', 0);
  return { port, address: `127.0.0.1:${port}`, echo, stop: async () => server.drain(0) };
}
