import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Io } from '../io.js';

/** How the person at this prompt can call this program again: npx finds it only from below a folder that has it installed. */
export function callName(io: Io): string {
  for (let folder = io.cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules', '.bin', 'headrace'))) return 'npx headrace';
    if (dirname(folder) === folder) break;
  }
  return `node ${shownPath(fileURLToPath(new URL('../main.js', import.meta.url)), io)}`;
}

/** Relative where that is inside the working directory, else absolute. */
export function shownPath(path: string, io: Io): string {
  const near = relative(io.cwd, path);
  return near.startsWith('..') || near === '' ? path : near;
}
