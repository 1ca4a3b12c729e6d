import { fileURLToPath } from 'node:url';
import { mustRun } from '../../harness/command.js';
import type { EchoClientPlan, EchoClientResult } from './echo-protocol.js';
import { profileEnvironment } from './profile-environment.js';

/** Calls the echo in a process of its own and resolves with what that process says of itself. */
export async function runEchoClient(plan: EchoClientPlan, profileFolder: string | undefined): Promise<EchoClientResult> {
  const main = fileURLToPath(new URL('./echo-client-main.js', import.meta.url));
  const output = await mustRun(process.execPath, [main, JSON.stringify(plan)], { env: profileEnvironment(profileFolder) });
  return JSON.parse(output) as EchoClientResult;
}
