import type { JWTVerifyGetKey } from 'jose';
import type { IdentityIo } from './io.js';
import { parseKeySet } from './key-set.js';
import type { KeySet, KeySetListener } from './key-set.js';

/** Keys from a file; resolves when it was read once, well or not. */
export async function fileKeys(file: string, io: IdentityIo, listener: KeySetListener): Promise<KeySet> {
  let keys: JWTVerifyGetKey | undefined;
  const watch = await io.watchFile(file, {
    onText: (text) => {
      const parsed = parseKeySet(text);
      listener.onRead?.(parsed.ok ? 'changed' : 'failed');
      if (!parsed.ok) return listener.onProblem(`${file}: ${parsed.refusal}; the keys before it stay`);
      keys = parsed.value;
      listener.onChange();
    },
    onProblem: (problem) => {
      listener.onRead?.('failed');
      listener.onProblem(problem);
    },
  });
  return { current: () => keys, refresh: () => Promise.resolve(), ageMs: () => undefined, close: () => watch.close() };
}
