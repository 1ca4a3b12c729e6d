import { modelConfigRoot } from '@headrace/proto';
import { describe, expect, it } from 'vitest';
import { parseTextFormat } from './pbtxt.js';

const parse = (text: string): unknown => JSON.parse(JSON.stringify(parseTextFormat(text, modelConfigRoot())));

describe('text format of ModelConfig', () => {
  const accepted: readonly [string, string, object][] = [
    ['nothing', '# only a comment\n', {}],
    [
      'scalars with and without separators',
      'name: "a", max_batch_size: 8; platform: \'p\'',
      { name: 'a', max_batch_size: 8, platform: 'p' },
    ],
    [
      'a message with and without a colon',
      'version_policy: { latest { num_versions: 2 } }',
      { version_policy: { latest: { num_versions: 2 } } },
    ],
    ['angle brackets', 'version_policy < all < > >', { version_policy: { all: {} } }],
    [
      'a list of messages',
      'input [ { name: "x" dims: [ -1, 3 ] }, { name: "y" } ]',
      { input: [{ name: 'x', dims: ['-1', '3'] }, { name: 'y' }] },
    ],
    ['a repeated message one by one', 'input { name: "x" } input { name: "y" }', { input: [{ name: 'x' }, { name: 'y' }] }],
    ['repeated scalars in both forms', 'input { dims: 1 dims: [2, 3] dims: [] }', { input: [{ dims: ['1', '2', '3'] }] }],
    [
      'enums by name and by number',
      'input { data_type: TYPE_FP32 } output { data_type: 3 }',
      { input: [{ data_type: 'TYPE_FP32' }], output: [{ data_type: 'TYPE_UINT16' }] },
    ],
    ['strings that continue, with escapes', 'name: "a\\x41\\102\\n\\u00e9" \n \'b"\'', { name: 'aAB\né' + 'b"' }],
    ['numbers in three bases', 'max_batch_size: 0x10 input { dims: 010 }', { max_batch_size: 16, input: [{ dims: ['8'] }] }],
    [
      'booleans',
      'model_transaction_policy { decoupled: true } response_cache { enable: f }',
      { model_transaction_policy: { decoupled: true }, response_cache: { enable: false } },
    ],
    [
      'a map of messages',
      'parameters { key: "k" value: { string_value: "v" } } parameters: { key: "l", value { string_value: "w" } }',
      { parameters: { k: { string_value: 'v' }, l: { string_value: 'w' } } },
    ],
    ['a map of strings', 'metric_tags [{ key: "a" value: "b" }]', { metric_tags: { a: 'b' } }],
    ['a comment at the end of a line', 'name: "a" # the name\nmax_batch_size: 1', { name: 'a', max_batch_size: 1 }],
    [
      'a key that looks like a prototype',
      'metric_tags { key: "__proto__" value: "b" }',
      JSON.parse('{"metric_tags":{"__proto__":"b"}}') as object,
    ],
  ];
  it.each(accepted)('reads %s', (_name, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  const refused: readonly [string, string, RegExp][] = [
    ['an unknown field', 'nam: "a"', /line 1, column 1: ModelConfig has no field "nam"/],
    ['an unknown field inside', 'input {\n  nam: "a" }', /line 2, column 3: ModelInput has no field "nam"/],
    ['a field twice', 'name: "a" name: "b"', /field name is given twice/],
    ['two of a oneof', 'dynamic_batching {} sequence_batching {}', /sequence_batching excludes dynamic_batching/],
    ['a number where a string belongs', 'name: 5', /field name: expected a quoted string, got "5"/],
    [
      'a string where a number belongs',
      'max_batch_size: "8"',
      /field max_batch_size: expected a whole number \(int32\), got the string "8"/,
    ],
    ['a number out of range', 'max_batch_size: 2147483648', /expected a whole number \(int32\)/],
    ['a negative where none is', 'version_policy { latest { num_versions: -1 } }', /expected a whole number \(uint32\), got -"1"/],
    ['a fraction where a whole number belongs', 'max_batch_size: 1.5', /expected a whole number/],
    ['an enum value nobody knows', 'input { data_type: FP32 }', /expected one of TYPE_INVALID, .*, got "FP32"/],
    ['a list for a single field', 'name: ["a"]', /field name takes one value, got a list/],
    ['a scalar for a message', 'version_policy: 1', /version_policy is a message: expected \{, got "1"/],
    ['a missing colon', 'name "a"', /expected : after name/],
    ['an open message', 'input { name: "x"', /the file ends where } was expected/],
    ['an open string', 'name: "x\n"', /the string is not closed on its line/],
    ['a strange character', 'name: @', /unexpected character "@"/],
    ['an unknown escape', 'name: "\\q"', /unknown escape \\q/],
  ];
  it.each(refused)('refuses %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
