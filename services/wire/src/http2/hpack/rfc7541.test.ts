import { describe, expect, it } from 'vitest';
import { BlockReader } from './block-reader.js';
import { HpackDecoder } from './decoder.js';
import { HpackEncoder } from './encoder.js';
import { HpackError } from './errors.js';
import { fieldBytes } from './header-fields.js';
import { writeInteger } from './integer.js';

/** The examples of RFC 7541 Appendix C, octet by octet. */

const roomy = { maxTableBytes: 4096, maxListBytes: 65_536, maxFields: 1000 };
/** Appendix C.5 and C.6 run with a table of 256 octets, which HTTP/2 has the encoder confirm by a size update. */
const tableOf256 = '3fe101';

const getRoot = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
const getIndex = [
  ':method',
  'GET',
  ':scheme',
  'https',
  ':path',
  '/index.html',
  ':authority',
  'www.example.com',
  'custom-key',
  'custom-value',
];
const requests = [
  { fields: getRoot, table: [':authority', 'www.example.com'], bytes: 57 },
  {
    fields: [...getRoot, 'cache-control', 'no-cache'],
    table: ['cache-control', 'no-cache', ':authority', 'www.example.com'],
    bytes: 110,
  },
  { fields: getIndex, table: ['custom-key', 'custom-value', 'cache-control', 'no-cache', ':authority', 'www.example.com'], bytes: 164 },
];

const at21 = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const at22 = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const toExample = ['location', 'https://www.example.com'];
const cookie = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];
const responses = [
  {
    fields: [':status', '302', 'cache-control', 'private', ...at21, ...toExample],
    table: [...toExample, ...at21, 'cache-control', 'private', ':status', '302'],
    bytes: 222,
  },
  {
    fields: [':status', '307', 'cache-control', 'private', ...at21, ...toExample],
    table: [':status', '307', ...toExample, ...at21, 'cache-control', 'private'],
    bytes: 222,
  },
  {
    fields: [':status', '200', 'cache-control', 'private', ...at22, ...toExample, 'content-encoding', 'gzip', ...cookie],
    table: [...cookie, 'content-encoding', 'gzip', ...at22],
    bytes: 215,
  },
];

const huffmanRequests = [
  '828684418cf1e3c2e5f23a6ba0ab90f4ff',
  '828684be5886a8eb10649cbf',
  '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
];

const series = [
  {
    name: 'C.3 requests without Huffman',
    blocks: [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
    expected: requests,
  },
  { name: 'C.4 requests with Huffman', blocks: huffmanRequests, expected: requests },
  {
    name: 'C.5 responses without Huffman, with evictions',
    blocks: [
      `${tableOf256}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
    ],
    expected: responses,
  },
  {
    name: 'C.6 responses with Huffman, with evictions',
    blocks: [
      `${tableOf256}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`,
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
    expected: responses,
  },
];

describe('RFC 7541 Appendix C', () => {
  it.each([
    { name: 'C.1.1: 10 with a prefix of 5 bits', value: 10, mask: 0x1f, hex: '0a' },
    { name: 'C.1.2: 1337 with a prefix of 5 bits', value: 1337, mask: 0x1f, hex: '1f9a0a' },
    { name: 'C.1.3: 42 with a prefix of 8 bits', value: 42, mask: 0xff, hex: '2a' },
  ])('$name', ({ value, mask, hex }) => {
    const target = Buffer.alloc(8);
    const end = writeInteger(target, 0, 0, mask, value);
    expect(target.toString('hex', 0, end)).toBe(hex);
    const reader = new BlockReader();
    reader.open(target, 0, end);
    expect([reader.integer(reader.octet(), mask), reader.position]).toEqual([value, end]);
  });

  it.each([
    {
      name: 'C.2.1: a literal that is inserted',
      hex: '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
      fields: ['custom-key', 'custom-header'],
      table: ['custom-key', 'custom-header'],
    },
    { name: 'C.2.2: a literal that is not', hex: '040c2f73616d706c652f70617468', fields: [':path', '/sample/path'], table: [] },
    { name: 'C.2.3: a literal that never is', hex: '100870617373776f726406736563726574', fields: ['password', 'secret'], table: [] },
    { name: 'C.2.4: an index', hex: '82', fields: [':method', 'GET'], table: [] },
  ])('$name', ({ hex, fields, table }) => {
    const decoder = new HpackDecoder(roomy);
    expect(decodeHex(decoder, hex)).toEqual(fields);
    expect(tableOf(decoder)).toEqual(table);
  });

  it.each(series)('$name', ({ blocks, expected }) => {
    const decoder = new HpackDecoder(roomy);
    const seen = blocks.map((hex) => {
      const fields = decodeHex(decoder, hex);
      const table = tableOf(decoder);
      return { fields, table, bytes: bytesOf(table) };
    });
    expect(seen).toEqual(expected);
  });

  it('C.4 is also what the encoder writes', () => {
    const encoder = new HpackEncoder();
    expect(requests.map(({ fields }) => encoder.encode(fields).toString('hex'))).toEqual(huffmanRequests);
  });
});

function decodeHex(decoder: HpackDecoder, hex: string): readonly string[] {
  const bytes = Buffer.from(hex, 'hex');
  const block = decoder.decode(bytes, 0, bytes.length);
  expect(block.tooLarge).toBe(false);
  return block.fields;
}

/** The table's content, newest first, asked for by index until there is no further one. */
function tableOf(decoder: HpackDecoder): string[] {
  const found: string[] = [];
  for (let index = 62; ; index += 1) {
    try {
      found.push(...decoder.decode(Buffer.from([0x80 | index]), 0, 1).fields);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      return found;
    }
  }
}

function bytesOf(fields: readonly string[]): number {
  let sum = 0;
  for (let each = 0; each < fields.length; each += 2) sum += fieldBytes(fields[each] ?? '', fields[each + 1] ?? '');
  return sum;
}
