import { formatProblem, loadConfig } from '@headrace/runtime';
import type { ConfigProblem, ConfigSchema, Result } from '@headrace/runtime';
import type { IdentityIo } from './io.js';
import { identified } from './verdict.js';
import type { Identified } from './verdict.js';

/** By the SHA-256 of the key in lower-case hexadecimal. */
export type KeyBook = ReadonlyMap<string, Identified>;

interface KeyFile {
  readonly keys: readonly { readonly tenant: string; readonly tier?: string; readonly sha256: string }[];
}

const text = { type: 'string', minLength: 1, maxLength: 256 };
const schema: ConfigSchema = {
  type: 'object',
  required: ['keys'],
  properties: {
    keys: {
      type: 'array',
      maxItems: 100_000,
      items: {
        type: 'object',
        required: ['tenant', 'sha256'],
        properties: { tenant: text, tier: text, sha256: { type: 'string', pattern: '^[0-9a-fA-F]{64}$' } },
      },
    },
  },
};

/** Reads a file of key digests: every problem with its place. A digest in a message is no secret, but is not shown either. */
export function parseApiKeys(source: string, file: string): Result<KeyBook, readonly ConfigProblem[]> {
  const loaded = loadConfig<KeyFile>({ schema, text: source, source: file });
  if (!loaded.ok) return loaded;
  const book = new Map<string, Identified>();
  const problems: ConfigProblem[] = [];
  loaded.value.keys.forEach(({ tenant, tier, sha256 }, i) => {
    const digest = sha256.toLowerCase();
    const caller = identified(tenant, true, tier);
    if (caller === undefined) {
      problems.push({ source: file, path: `keys[${i}].tenant`, message: 'expected a name without control characters' });
    } else if (book.has(digest)) {
      problems.push({ source: file, path: `keys[${i}].sha256`, message: 'is the digest of an earlier key; a key has one tenant' });
    } else book.set(digest, caller);
  });
  return problems.length === 0 ? { ok: true, value: book } : { ok: false, refusal: problems };
}

/**
 * API keys as a file has them. A plain SHA-256 is right here, where it would be wrong for passwords: keys are random and
 * long (128 bits and more), so that nobody can try them all. The look-up is by digest: how long it takes depends on the
 * digest of what was sent, which a caller cannot steer, and tells nothing of the keys.
 */
export class ApiKeys {
  #book: KeyBook | undefined;
  #watch: { close(): Promise<void> } | undefined;

  /** Resolves when the file was read once, well or not; a bad one leaves the keys before it in force. */
  static async watch(file: string, io: IdentityIo, onProblem: (problem: string) => void): Promise<ApiKeys> {
    const keys = new ApiKeys();
    keys.#watch = await io.watchFile(file, {
      onText: (source) => {
        const parsed = parseApiKeys(source, file);
        if (parsed.ok) keys.#book = parsed.value;
        else for (const problem of parsed.refusal) onProblem(formatProblem(problem));
      },
      onProblem,
    });
    return keys;
  }

  /** False until a file was read. */
  get readable(): boolean {
    return this.#book !== undefined;
  }

  /** @param digest SHA-256 in lower-case hexadecimal */
  find(digest: string): Identified | undefined {
    return this.#book?.get(digest);
  }

  async close(): Promise<void> {
    await this.#watch?.close();
  }
}
