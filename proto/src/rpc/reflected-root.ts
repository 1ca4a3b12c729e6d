import { isAbsolute, join } from 'node:path';
import type protobuf from 'protobufjs';
import { loaderOptions, protoRoot } from '../loader-options.js';
import { protoFileNames } from '../proto-files.js';
import { protobufjs } from './protobufjs.js';

let loaded: protobuf.Root | undefined;

/** Everything in the .proto files, parsed when first asked for and once per process. */
export function reflectedRoot(): protobuf.Root {
  if (loaded === undefined) {
    const { Root, common } = protobufjs();
    const fresh = new Root();
    fresh.resolvePath = (_origin, target) => (isAbsolute(target) || target in common ? target : join(protoRoot, target));
    fresh.loadSync([...protoFileNames], { keepCase: loaderOptions.keepCase ?? false });
    fresh.resolveAll();
    loaded = fresh;
  }
  return loaded;
}
