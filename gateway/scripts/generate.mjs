// Writes src/gen/*.ts from the OpenAPI schemas of the gateway's documents: the types, and each schema itself as a
// constant, so that the running gateway reads no file to know its own configuration. Same input, same bytes out.
// `--check` compares instead of writing and exits with 1 on a difference.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { parse } from 'yaml';

const documents = [
  { kind: 'RoutingTable', file: 'routing-table', constant: 'routingTableSchema' },
  { kind: 'TrafficPolicy', file: 'traffic-policy', constant: 'trafficPolicySchema' },
];

async function schemaOf(file) {
  const path = fileURLToPath(new URL(`../../proto/headrace/v1/${file}`, import.meta.url));
  const [schema] = Object.values(parse(await readFile(path, 'utf8'), { merge: true }).components.schemas);
  for (const [name, node] of Object.entries(schema.properties)) {
    const { 'x-headrace-include': included, ...own } = node;
    // The description stays that of the place; all else is the included document's spec.
    if (included !== undefined) schema.properties[name] = { ...(await schemaOf(included)).properties.spec, ...own };
  }
  return schema;
}

async function textOf({ kind, file, constant }) {
  const schema = await schemaOf(`${file}.openapi.yaml`);
  const types = await compile(structuredClone(schema), kind, {
    additionalProperties: false,
    bannerComment: '',
    enableConstEnums: false,
    // Array bounds are the validator's business: as tuples they would be hundreds of thousands of members.
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 140 },
  });
  return [
    `// Generated from proto/headrace/v1/${file}.openapi.yaml by \`npm run generate -w @headrace/gateway\`. Do not edit.`,
    '',
    types.trim(),
    '',
    `export const ${constant}: Readonly<Record<string, unknown>> = ${JSON.stringify(schema, null, 2)};`,
    '',
  ].join('\n');
}

for (const document of documents) {
  const target = fileURLToPath(new URL(`../src/gen/${document.file}.ts`, import.meta.url));
  const text = await textOf(document);
  if (!process.argv.includes('--check')) {
    await writeFile(target, text);
    continue;
  }
  const present = await readFile(target, 'utf8').catch(() => '');
  if (present !== text) {
    console.error(`gateway/src/gen/${document.file}.ts differs from the schema; run \`npm run generate -w @headrace/gateway\``);
    process.exitCode = 1;
  }
}
