import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Options } from '@grpc/proto-loader';

/** The folder that holds the .proto files; imports in them are relative to it. It is the same from src and from dist. */
const protoRootUrl = new URL('../', import.meta.url);
export const protoRoot: string = fileURLToPath(protoRootUrl);

/** loader-options.json as it is: constructors are written as their names, the way the type generator takes them. */
interface WrittenOptions {
  readonly keepCase: boolean;
  readonly longs: 'String';
  readonly enums: 'String';
  readonly defaults: boolean;
  readonly oneofs: boolean;
}

const written = JSON.parse(readFileSync(new URL('loader-options.json', protoRootUrl), 'utf8')) as WrittenOptions;

/**
 * proto-loader's options, for everyone who loads these files: field names as written, 64-bit integers and enums as
 * strings, defaults filled in, and for each oneof a property that names the member that is set.
 */
export const loaderOptions: Options = { ...written, longs: String, enums: String, includeDirs: [protoRoot] };
