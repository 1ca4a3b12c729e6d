/**
 * gRPC metadata: lower-case keys, each with one or more values. Keys ending in `-bin` hold bytes, all others
 * printable ASCII (grpc/doc/PROTOCOL-HTTP2). Transport headers (":path", "te", "grpc-timeout", ...) never show here.
 */
export class Metadata {
  /** Made with the first entry: most calls carry none. */
  #values: Map<string, (string | Buffer)[]> = none;
  #frozen = false;

  static of(entries: Readonly<Record<string, string | Buffer>>): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
    return metadata;
  }

  /** The first text value, or undefined. */
  get(key: string): string | undefined {
    return this.#values.get(key.toLowerCase())?.find((value) => typeof value === 'string');
  }

  getBinary(key: string): Buffer | undefined {
    return this.#values.get(key.toLowerCase())?.find((value): value is Buffer => typeof value !== 'string');
  }

  getAll(key: string): readonly (string | Buffer)[] {
    return this.#values.get(key.toLowerCase()) ?? [];
  }

  set(key: string, value: string | Buffer): void {
    this.#mayChange();
    this.#own().set(checkedKey(key, value), [value]);
  }

  append(key: string, value: string | Buffer): void {
    this.#mayChange();
    const name = checkedKey(key, value);
    const present = this.#values.get(name);
    if (present === undefined) this.#own().set(name, [value]);
    else present.push(value);
  }

  delete(key: string): void {
    this.#mayChange();
    this.#values.delete(key.toLowerCase());
  }

  entries(): IterableIterator<[string, readonly (string | Buffer)[]]> {
    return this.#values.entries();
  }

  get size(): number {
    return this.#values.size;
  }

  /** From now on changing it throws: several calls share it. */
  freeze(): this {
    this.#frozen = true;
    return this;
  }

  #mayChange(): void {
    if (this.#frozen) throw new TypeError('this metadata is shared by several calls: make a new one');
  }

  #own(): Map<string, (string | Buffer)[]> {
    if (this.#values === none) this.#values = new Map();
    return this.#values;
  }
}

/** Shared by all that are empty, and never written to. */
const none = new Map<string, (string | Buffer)[]>();

/** Keys that were found well-formed: the few that programs use, looked at once. Bounded, as peers name keys too. */
const wellFormed = new Set<string>();
const maxWellFormed = 256;

function checkedKey(key: string, value: string | Buffer): string {
  if (typeof value === 'string' && wellFormed.has(key)) return key;
  const name = key.toLowerCase();
  if (!/^[0-9a-z_.-]+$/.test(name)) throw new TypeError(`metadata key ${JSON.stringify(key)} has characters outside 0-9 a-z _ - .`);
  if (name.endsWith('-bin') !== (typeof value !== 'string')) {
    throw new TypeError(`metadata ${JSON.stringify(name)}: keys ending in -bin take bytes, all others text`);
  }
  // In lower case and for text.
  if (name === key && typeof value === 'string' && wellFormed.size < maxWellFormed) wellFormed.add(key);
  return name;
}
