import { once } from 'node:events';
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/**
 * Who a state directory belongs to. A living run listens at a socket in it, which the kernel closes with the process,
 * kill -9 included: a socket that refuses has lost its owner for certain. A pid in a file would not say so: pids are used
 * again, and another container that shares the directory numbers its processes anew.
 */
export interface Claim {
  release(): void;
}

export const stateDirPrefix = 'headrace-up-';
const stateDirName = /^headrace-up-[A-Za-z0-9]{6}$/;
const socketName = 'alive';

/** Where no socket can be made (a path past the 104 bytes that some systems allow), the directory is just never removed by others. */
export async function claim(directory: string): Promise<Claim> {
  const server = createServer((socket) => socket.destroy());
  // The claim must not keep a run alive that has ended.
  server.unref();
  const making = join(directory, `.${socketName}`);
  try {
    await once(server.listen(making), 'listening');
    // Under its name only now: a socket that is bound and does not listen yet refuses as a dead one does.
    renameSync(making, join(directory, socketName));
  } catch {
    server.close();
  }
  return { release: () => void server.close() };
}

/** Removes what dead runs of this user left in `parent`. What cannot be read or removed stays: this is housekeeping. */
export async function removeUnclaimed(parent: string): Promise<void> {
  for (const name of namesIn(parent)) {
    const directory = join(parent, name);
    if (isOwn(directory) && (await isAbandoned(join(directory, socketName)))) {
      try {
        rmSync(directory, { recursive: true, force: true });
      } catch {
        // Perhaps another start was faster.
      }
    }
  }
}

function namesIn(parent: string): readonly string[] {
  try {
    return readdirSync(parent).filter((name) => stateDirName.test(name));
  } catch {
    return [];
  }
}

/** In a directory that all may write to, names can be laid as traps: links, and directories of others. */
function isOwn(directory: string): boolean {
  try {
    const status = lstatSync(directory);
    return status.isDirectory() && status.uid === process.getuid?.();
  } catch {
    return false;
  }
}

/** Refused: there was an owner, and it is dead. No socket: an owner that begins, or none ever; that stays. */
function isAbandoned(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(false);
    });
    connection.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
