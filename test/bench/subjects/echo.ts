import { fileURLToPath } from 'node:url';
import type { WireName } from '@headrace/wire';
import type { TestCertificates } from '@headrace/wire/testing';
import { startProcess } from '../../harness/process.js';
import type { EchoPlan } from './echo-protocol.js';
import { profileEnvironment } from './profile-environment.js';
import { readyPort } from './ready-port.js';
import type { RunningSubject } from './subject.js';

export interface EchoOptions {
  readonly wire: WireName;
  /** Given: TLS. */
  readonly certificates?: TestCertificates | undefined;
  readonly profileFolder?: string | undefined;
}

/** An echo server in a process of its own (echo-methods.ts). */
export async function startEcho({ wire, certificates, profileFolder }: EchoOptions): Promise<RunningSubject> {
  const main = fileURLToPath(new URL('./echo-main.js', import.meta.url));
  const plan: EchoPlan = { wire, ...(certificates === undefined ? {} : { tls: certificates.server }) };
  const server = await startProcess(process.execPath, [main, JSON.stringify(plan)], {
    name: `echo on ${wire}`,
    env: profileEnvironment(profileFolder),
  });
  const stop = async (): Promise<void> => void (await server.stop());
  try {
    const port = await server.announced('the ready announcement', readyPort);
    const secure = certificates === undefined ? {} : { authorityFile: certificates.authorityFile };
    return { address: `127.0.0.1:${port}`, ...secure, pids: [server.pid], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
