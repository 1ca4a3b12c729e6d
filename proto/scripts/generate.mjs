// Writes src/gen from the .proto files: proto-loader's types, and methods.ts. The flags are loader-options.json, which the
// running code reads too, so that the types always describe the objects that the codecs make.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outDir = join(root, 'src', 'gen');
const options = JSON.parse(readFileSync(join(root, 'loader-options.json'), 'utf8'));

const protoFiles = ['inference', 'headrace', 'grpc', 'google']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, String(file))))
  .filter((file) => file.endsWith('.proto'))
  .sort();

const loader = dirname(createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json'));
rmSync(outDir, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [
    join(loader, 'build', 'bin', 'proto-loader-gen-types.js'),
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    '--includeComments',
    '--importFileExtension=.js',
    '--includeDirs=.',
    `--outDir=${outDir}`,
    ...protoFiles,
  ],
  // Relative names, so that nothing of where the checkout lies reaches the output.
  { cwd: root, stdio: 'inherit' },
);

// methods.ts, so that paths and directions are known without reading a .proto file.
const protos = new protobuf.Root();
protos.resolvePath = (_origin, target) => (target in protobuf.common ? target : join(root, target));
protos.loadSync(protoFiles);
protos.resolveAll();
const services = [];
const collect = (namespace) => {
  for (const object of namespace.nestedArray) {
    if (object instanceof protobuf.Service) services.push(object);
    else if (object instanceof protobuf.Namespace) collect(object);
  }
};
collect(protos);
const fullName = (object) => `'${object.fullName.slice(1)}'`;
const lines = services.flatMap((service) => [
  `  ${fullName(service)}: {`,
  ...service.methodsArray.flatMap((method) => [
    `    ${method.name}: {`,
    `      request: ${fullName(method.resolvedRequestType)},`,
    `      response: ${fullName(method.resolvedResponseType)},`,
    `      requestStream: ${method.requestStream ?? false},`,
    `      responseStream: ${method.responseStream ?? false},`,
    '    },',
  ]),
  '  },',
]);
writeFileSync(
  join(outDir, 'methods.ts'),
  [
    '/** Every service by full name: its methods, with their types by full name. */',
    'export const methodTypes = {',
    ...lines,
    '} as const;',
    '',
  ].join('\n'),
);
