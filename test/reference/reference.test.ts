import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mustRun, paths } from '../harness/index.js';
import { commandLinePage, errorsPage, metricsPage, routingTablePage, trafficPolicyPage } from './pages.js';
import { schemaRows } from './schema-rows.js';

const page = (name: string): string => join(paths.root, 'docs/reference', name);

/** `npx vitest run test/reference --update` writes the pages anew. */
test.each([
  ['metrics.md', metricsPage],
  ['errors.md', errorsPage],
  ['routing-table.md', routingTablePage],
  ['traffic-policy.md', trafficPolicyPage],
])('docs/reference/%s says what the code says', async (name, write) => {
  await expect(write()).toMatchFileSnapshot(page(name));
});

test('docs/reference/command-line.md says what --help says', { timeout: 120_000 }, async () => {
  const commands = ['', 'up', 'infer', 'models', 'load', 'unload', 'top', 'bench', 'simulate traffic'];
  const helps = new Map<string, string>();
  const help = (main: string, args: readonly string[]): Promise<string> =>
    mustRun(process.execPath, [main, ...args, '--help'], { env: { NO_COLOR: '1', COLUMNS: '100', FORCE_COLOR: undefined } });
  for (const command of commands) {
    const title = `headrace ${command}`.trimEnd();
    helps.set(title, await help(paths.cliMain, command === '' ? [] : command.split(' ')));
  }
  helps.set('headrace-gateway', await help(paths.gatewayMain, []));
  helps.set('headrace-inference', await help(paths.inferenceMain, []));
  await expect(commandLinePage(helps)).toMatchFileSnapshot(page('command-line.md'));
});

test('a schema becomes a row for each field, lists and limits included', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: {
      a: { type: 'integer', minimum: 1, maximum: 5, description: 'one | two' },
      b: { type: 'array', items: { type: 'object', properties: { c: { type: 'string', enum: ['x', 'y'] } } } },
    },
  };
  expect(schemaRows(schema)).toEqual([
    '| `a` | integer 1 to 5, required | one \\| two |',
    '| `b` | list of object |  |',
    '| `b[].c` | `x` or `y` |  |',
  ]);
});
