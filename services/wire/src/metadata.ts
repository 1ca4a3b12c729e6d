/**
 * gRPC metadata: lower-case keys, each with one or more values. Keys ending in `-bin` hold bytes, all others
 * printable ASCII (grpc/doc/PROTOCOL-HTTP2). Transport headers (":path", "te", "grpc-timeout", ...) never show here.
 */
export class Metadata {
  /**
   * The only entry, while there is but one with one value: most calls carry none or a request id, and a Map takes 0.2 us
   * and 400 bytes.
   */
  #key: string | undefined;
  #value: string | Buffer = '';
  /** Made with the second entry; it then holds the first too. */
  #values: Map<string, (string | Buffer)[]> = none;
  #frozen = false;

  static of(entries: Readonly<Record<string, string | Buffer>>): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
    return metadata;
  }

  /** With one entry. */
  static single(key: string, value: string | Buffer): Metadata {
    const metadata = new Metadata();
    metadata.set(key, value);
    return metadata;
  }

  /** The first text value, or undefined. */
  get(key: string): string | undefined {
    if (this.#values !== none) return this.#values.get(nameOf(key))?.find((value) => typeof value === 'string');
    return this.#isOnly(key) && typeof this.#value === 'string' ? this.#value : undefined;
  }

  getBinary(key: string): Buffer | undefined {
    return this.getAll(key).find((value): value is Buffer => typeof value !== 'string');
  }

  getAll(key: string): readonly (string | Buffer)[] {
    if (this.#values !== none) return this.#values.get(nameOf(key)) ?? [];
    return this.#isOnly(key) ? [this.#value] : [];
  }

  set(key: string, value: string | Buffer): void {
    this.#mayChange();
    const name = checkedKey(key, value);
    if (this.#values === none && (this.#key === undefined || this.#key === name)) {
      this.#key = name;
      this.#value = value;
    } else this.#own().set(name, [value]);
  }

  append(key: string, value: string | Buffer): void {
    this.#mayChange();
    const name = checkedKey(key, value);
    if (this.#values === none && this.#key === undefined) {
      this.#key = name;
      this.#value = value;
      return;
    }
    const values = this.#own();
    const present = values.get(name);
    if (present === undefined) values.set(name, [value]);
    else present.push(value);
  }

  delete(key: string): void {
    this.#mayChange();
    if (this.#values !== none) this.#values.delete(nameOf(key));
    else if (this.#isOnly(key)) this.#key = undefined;
  }

  entries(): IterableIterator<[string, readonly (string | Buffer)[]]> {
    if (this.#values !== none || this.#key === undefined) return this.#values.entries();
    const only: [string, readonly (string | Buffer)[]] = [this.#key, [this.#value]];
    return [only].values();
  }

  /** Each value with its key, those of one key together. */
  forEach(visit: (key: string, value: string | Buffer) => void): void {
    if (this.#values === none) {
      if (this.#key !== undefined) visit(this.#key, this.#value);
      return;
    }
    for (const [key, values] of this.#values) for (const value of values) visit(key, value);
  }

  get size(): number {
    if (this.#values !== none) return this.#values.size;
    return this.#key === undefined ? 0 : 1;
  }

  /** From now on changing it throws: several calls share it. */
  freeze(): this {
    this.#frozen = true;
    return this;
  }

  #isOnly(key: string): boolean {
    const only = this.#key;
    // Lower case changes no length of what may be a key.
    return only !== undefined && only.length === key.length && (only === key || only === nameOf(key));
  }

  #mayChange(): void {
    if (this.#frozen) throw new TypeError('this metadata is shared by several calls: make a new one');
  }

  #own(): Map<string, (string | Buffer)[]> {
    if (this.#values !== none) return this.#values;
    const values = new Map<string, (string | Buffer)[]>();
    if (this.#key !== undefined) values.set(this.#key, [this.#value]);
    this.#key = undefined;
    return (this.#values = values);
  }
}

/** Shared by all that are empty, and never written to. */
const none = new Map<string, (string | Buffer)[]>();

/** Keys that were found well-formed: the few that programs use, looked at once. Bounded, as peers name keys too. */
const wellFormed = new Set<string>();
const maxWellFormed = 256;

function nameOf(key: string): string {
  return wellFormed.has(key) ? key : key.toLowerCase();
}

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
