/**
 * Loaded into every child before its own program (node --import). The child's standard input is a pipe whose other end
 * only the parent holds, so its end means that the parent is gone, kill -9 included: then the child drains as if it had
 * been told to, and is killed if it does not end.
 */
import { isMainThread } from 'node:worker_threads';

/** Longer than the servers' own grace for draining. */
const killAfterMs = 40_000;

if (isMainThread) {
  const orphaned = (): void => {
    process.kill(process.pid, 'SIGTERM');
    // oxlint-disable-next-line no-restricted-globals -- a rim of its own: nothing of the package may be loaded before the child's program
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), killAfterMs).unref();
  };
  process.stdin.once('end', orphaned).once('error', orphaned).resume();
  // The watch must not keep a program alive that has nothing left to do.
  process.stdin.unref();
}
