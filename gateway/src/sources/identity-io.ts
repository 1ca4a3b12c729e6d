import type { Clock } from '@headrace/runtime';
import { fetchText } from './fetch-text.js';
import { watchFile } from './watch-file.js';
import type { FileWatch, TextListener } from './watch-file.js';

/** A set of keys is a few kilobytes. */
const limits = { timeoutMs: 5000, maxBytes: 1_048_576 };

/** The files and endpoints that identity reads; see IdentityIo. */
export function identityIo(clock: Clock): {
  watchFile(file: string, listener: TextListener): Promise<FileWatch>;
  fetchText(uri: string): Promise<string>;
} {
  return {
    watchFile: (file, listener) => watchFile(file, clock, listener),
    fetchText: (uri) => fetchText(uri, clock, limits),
  };
}
