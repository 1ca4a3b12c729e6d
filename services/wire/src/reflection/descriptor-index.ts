import { bytesFields } from './descriptor-fields.js';

/** Field numbers of google/protobuf/descriptor.proto. */
const fileField = { name: 1, package: 2, dependency: 3, message: 4, enum: 5, service: 6, extension: 7 } as const;
const messageField = { name: 1, field: 2, nested: 3, enum: 4, extension: 6, oneof: 8 } as const;
const named = { name: 1, member: 2 } as const;

interface IndexedFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly dependencies: readonly string[];
}

/** Files by name and by every symbol in them. */
export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  readonly #symbols = new Map<string, IndexedFile>();
  readonly #messages = new Set<string>();
  readonly #services: string[] = [];

  constructor(fileDescriptors: readonly Buffer[]) {
    for (const bytes of fileDescriptors) this.#addFile(bytes);
    this.#services.sort();
  }

  /** Full names, sorted. */
  get services(): readonly string[] {
    return this.#services;
  }

  isMessage(fullName: string): boolean {
    return this.#messages.has(fullName);
  }

  /** The file, then all it imports, once each. */
  byName(file: string): readonly Buffer[] | undefined {
    return this.#withDependencies(this.#files.get(file));
  }

  /** Of a service, method, message, field, oneof, enum or enum value. */
  bySymbol(fullName: string): readonly Buffer[] | undefined {
    return this.#withDependencies(this.#symbols.get(fullName));
  }

  #withDependencies(first: IndexedFile | undefined): readonly Buffer[] | undefined {
    if (first === undefined) return undefined;
    const found = new Set<IndexedFile>([first]);
    // A Set visits what is added while it is walked.
    for (const file of found) {
      for (const name of file.dependencies) {
        const dependency = this.#files.get(name);
        if (dependency !== undefined) found.add(dependency);
      }
    }
    return [...found].map(({ bytes }) => bytes);
  }

  #addFile(bytes: Buffer): void {
    const fields = [...bytesFields(bytes)];
    const texts = (number: number): string[] => fields.filter((field) => field.number === number).map((field) => field.bytes.toString());
    const file: IndexedFile = { name: texts(fileField.name)[0] ?? '', bytes, dependencies: texts(fileField.dependency) };
    this.#files.set(file.name, file);
    const scope = texts(fileField.package)[0] ?? '';
    for (const { number, bytes: child } of fields) {
      if (number === fileField.message) this.#addMessage(file, scope, child);
      else if (number === fileField.enum) this.#addEnum(file, scope, child);
      else if (number === fileField.extension) this.#addSymbol(file, scope, child);
      else if (number === fileField.service) this.#services.push(this.#addNamed(file, scope, child));
    }
  }

  #addMessage(file: IndexedFile, scope: string, bytes: Buffer): void {
    const name = this.#addSymbol(file, scope, bytes);
    this.#messages.add(name);
    for (const { number, bytes: child } of bytesFields(bytes)) {
      if (number === messageField.nested) this.#addMessage(file, name, child);
      else if (number === messageField.enum) this.#addEnum(file, name, child);
      else if (number === messageField.field || number === messageField.oneof || number === messageField.extension)
        this.#addSymbol(file, name, child);
    }
  }

  /** Enum values are siblings of their enum, as in C++ (descriptor.proto). */
  #addEnum(file: IndexedFile, scope: string, bytes: Buffer): void {
    this.#addSymbol(file, scope, bytes);
    for (const { number, bytes: child } of bytesFields(bytes)) if (number === named.member) this.#addSymbol(file, scope, child);
  }

  /** A service with its methods. */
  #addNamed(file: IndexedFile, scope: string, bytes: Buffer): string {
    const name = this.#addSymbol(file, scope, bytes);
    for (const { number, bytes: child } of bytesFields(bytes)) if (number === named.member) this.#addSymbol(file, name, child);
    return name;
  }

  /** Every kind of descriptor has its name in field 1. */
  #addSymbol(file: IndexedFile, scope: string, bytes: Buffer): string {
    let name = '';
    for (const field of bytesFields(bytes)) if (field.number === named.name) name = field.bytes.toString();
    const full = scope === '' ? name : `${scope}.${name}`;
    this.#symbols.set(full, file);
    return full;
  }
}
