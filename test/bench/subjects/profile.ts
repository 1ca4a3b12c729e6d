import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { basename, join } from 'node:path';
import { threadId } from 'node:worker_threads';

// Loaded by --import into each thread of a process under test: Node 20 does not take --cpu-prof in NODE_OPTIONS.
const folder = process.env['HEADRACE_BENCH_PROFILE'];
const sampleUs = 500;

if (folder !== undefined) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: sampleUs });
  session.post('Profiler.start');
  process.once('exit', () => {
    // Within one thread the answer comes before post returns.
    session.post('Profiler.stop', (error, result) => {
      if (error !== null) return;
      const program = basename(join(process.argv[1] ?? 'node', '../..'));
      writeFileSync(join(folder, `${program}-${process.pid}-${threadId}.cpuprofile`), JSON.stringify(result.profile));
    });
  });
}
