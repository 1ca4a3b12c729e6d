// Writes src/gen/routing-table.ts from the RoutingTable's OpenAPI schema: the types, and the schema itself as a
// constant, so that the running gateway reads no file to know its own configuration. Same input, same bytes out.
// `--check` compares instead of writing and exits with 1 on a difference.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { parse } from 'yaml';

const source = fileURLToPath(new URL('../../proto/headrace/v1/routing-table.openapi.yaml', import.meta.url));
const target = fileURLToPath(new URL('../src/gen/routing-table.ts', import.meta.url));

const document = parse(await readFile(source, 'utf8'), { merge: true });
const schema = document.components.schemas.RoutingTable;

const types = await compile(structuredClone(schema), 'RoutingTable', {
  additionalProperties: false,
  bannerComment: '',
  enableConstEnums: false,
  // Array bounds are the validator's business: as tuples they would be hundreds of thousands of members.
  ignoreMinAndMaxItems: true,
  style: { singleQuote: true, printWidth: 140 },
});
const text = [
  '// Generated from proto/headrace/v1/routing-table.openapi.yaml by `npm run generate -w @headrace/gateway`. Do not edit.',
  '',
  types.trim(),
  '',
  `export const routingTableSchema: Readonly<Record<string, unknown>> = ${JSON.stringify(schema, null, 2)};`,
  '',
].join('\n');

if (process.argv.includes('--check')) {
  const present = await readFile(target, 'utf8').catch(() => '');
  if (present !== text) {
    console.error('gateway/src/gen/routing-table.ts differs from the schema; run `npm run generate -w @headrace/gateway`');
    process.exitCode = 1;
  }
} else {
  await writeFile(target, text);
}
