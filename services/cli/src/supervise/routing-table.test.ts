import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { emptyTemplate, parseTemplate, renderTable } from './routing-table.js';

const replica = { name: 'replica-0', address: '127.0.0.1:9001', instances: 2 };

test('without a template the table is the replicas alone', () => {
  expect(parse(renderTable(emptyTemplate, [replica]))).toEqual({
    apiVersion: 'headrace.dev/v1alpha1',
    kind: 'RoutingTable',
    backends: [{ ...replica, podClass: 'cpu' }],
  });
});

test('a template keeps its settings, and its backends come first', () => {
  const text =
    'apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\nbackends: [{name: gpu, address: "g:1"}]\ndefaults: {timeoutMs: 5}\nmodels: [{name: m}]\n';
  const template = parseTemplate(text, 't.yaml');
  expect(template.ownBackends).toHaveLength(1);
  expect(parse(renderTable(template, [replica]))).toMatchObject({
    backends: [{ name: 'gpu' }, { name: 'replica-0' }],
    defaults: { timeoutMs: 5 },
    models: [{ name: 'm' }],
  });
});

describe('parseTemplate refuses', () => {
  test.each([
    ['what is no YAML', 'a: [', 't.yaml: '],
    ['an empty file', '', 't.yaml: expected a RoutingTable, got an empty file'],
    ['a list', '- a', 't.yaml: expected a RoutingTable'],
    ['backends that are no list', 'backends: 3', 't.yaml: backends: expected a list'],
  ])('%s', (_, text, message) => {
    expect(() => parseTemplate(text, 't.yaml')).toThrow(message);
  });
});
