import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Arrival } from './arrival.js';
import { randomStream } from './random.js';
import { TraceFile } from './trace-file.js';

function read(text: string, pieceLength = text.length): readonly Arrival[] {
  const file = new TraceFile(randomStream(1, 0));
  const found: Arrival[] = [];
  for (let at = 0; at < text.length; at += pieceLength) found.push(...file.push(text.slice(at, at + pieceLength)));
  return [...found, ...file.end()];
}

const bare = { tenant: '', tier: undefined, priority: undefined, rows: 1, deadlineMs: Infinity, model: undefined };

describe('reads', () => {
  test.each<readonly [string, string, readonly Partial<Arrival>[]]>([
    ['a time alone, from the first one on', 'timeMs\n1000\n1000\n1002.5\n', [{ atMs: 0 }, { atMs: 0 }, { atMs: 2.5 }]],
    [
      'all columns, in any order, whatever their case',
      'Model,ROWS,deadline_ms,Priority,tenant,tier,timestamp\nranker,4,50.5,2,acme,gold,7\n,,,0,,,7.25',
      [
        { atMs: 0, model: 'ranker', rows: 4, deadlineMs: 50.5, priority: 2, tenant: 'acme', tier: 'gold' },
        { ...bare, atMs: 250 },
      ],
    ],
    [
      'dates with seven digits after the second, as the LLM inference traces of Azure have them',
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n',
      [
        { ...bare, atMs: 0 },
        { ...bare, atMs: 4314.579 },
      ],
    ],
    ['dates with a zone', 'timestamp\n2023-01-01T00:00:00Z\n2023-01-01T01:00:01+01:00', [{ atMs: 0 }, { atMs: 1000 }]],
    [
      'JSON, one object a line',
      '{"timestamp": 5, "tenant": "a", "rows": 3, "x": [1]}\n\n{"timestamp": 5.5}',
      [
        { atMs: 0, tenant: 'a', rows: 3 },
        { ...bare, atMs: 500 },
      ],
    ],
    ['cells in quotes, with commas and quotes inside', 'time,tenant\n1,"a, ""b"""\n2,c', [{ tenant: 'a, "b"' }, { tenant: 'c' }]],
    ['lines that end as on Windows, after a byte order mark', '\uFEFFtime,rows\r\n1,2\r\n', [{ atMs: 0, rows: 2 }]],
  ])('%s', (_, text, arrivals) => {
    const found = read(text);
    expect(found).toHaveLength(arrivals.length);
    // Times to a thousandth of a millisecond: fractions of a second are not exact in binary.
    const rounded = found.map((arrival) => ({ ...arrival, atMs: Math.round(arrival.atMs * 1000) / 1000 }));
    expect(rounded).toMatchObject(arrivals);
  });

  it('the same, however the text is cut into pieces', () => {
    const text = 'timeMs,tenant,rows\r\n1,"a,b",2\r\n3,c,4\n5,"d",6';
    fc.assert(
      fc.property(fc.integer({ min: 1, max: text.length }), (length) => {
        expect(read(text, length)).toEqual(read(text));
      }),
    );
  });
});

describe('rates, as cluster-trace-v2026-GenAI has them', () => {
  const header = 'timestamp_anon,value,container_ip,request_type\n';
  it('of one time are summed and hold until the next time, tenants in proportion', () => {
    const found = read(`${header}100.0,30,c1,A\n100.0,10,c2,B\n150.0,0,c1,A\n200.0,20,c1,A`);
    const [early, none, last] = [
      found.filter(({ atMs }) => atMs < 50_000),
      found.filter(({ atMs }) => atMs >= 50_000 && atMs < 100_000),
      found.filter(({ atMs }) => atMs >= 100_000),
    ];
    expect(Math.abs(early.length - 2000)).toBeLessThan(150);
    expect(Math.abs(early.filter(({ tenant }) => tenant === 'A').length / early.length - 0.75)).toBeLessThan(0.04);
    expect(none).toEqual([]);
    // The last holds for a minute.
    expect(Math.abs(last.length - 1200)).toBeLessThan(110);
    expect(Math.max(...found.map(({ atMs }) => atMs))).toBeLessThan(160_000);
  });

  it('where samples are missing hold for a minute', () => {
    const found = read(`${header}0,10,c,A\n1000,0,c,A`);
    expect(Math.max(...found.map(({ atMs }) => atMs))).toBeLessThan(60_000);
  });
});

describe('refuses, with the line', () => {
  test.each([
    [
      'a file without a time',
      'tenant,rows\na,1',
      'line 1: expected a header with a column timeMs (milliseconds) or timestamp (seconds, or a date and time), got "tenant,rows"',
    ],
    ['two columns of one meaning', 'time,timestamp\n1,1', 'line 1: two columns mean time'],
    ['a row of another length', 'time,rows\n1,2\n3', 'line 3: expected 2 columns as in the header, got 1'],
    ['rows that are no number', 'time,rows\n1,2\n3,many', 'line 3: rows: expected a number from 1 to 65536, got "many"'],
    ['rows beyond reason', 'time,rows\n1,1e9', 'line 2: rows: expected a number from 1 to 65536, got "1e9"'],
    ['half a row', 'time,rows\n1,1.5', 'line 2: rows: expected a whole number, got 1.5'],
    ['a priority below 0', 'time,priority\n1,-1', 'line 2: priority: expected a number from 0 to 1000, got "-1"'],
    ['a deadline of nothing', 'time,deadlineMs\n1,0', 'line 2: deadlineMs: expected more than 0; leave it empty for none'],
    ['a row without a time', 'time,rows\n,1', 'line 2: expected a time in timeMs or timestamp, got none'],
    ['a time that is none', 'time\n1\nnoon', 'line 3: timestamp: expected seconds or a date such as 2023-11-16 18:15:46.68, got "noon"'],
    ['not a number', 'timeMs\nNaN', 'line 2: timeMs: expected a number from -1000000000000000 to 1000000000000000, got "NaN"'],
    [
      'milliseconds given as seconds',
      'timestamp\n1700000000000',
      'line 2: timestamp: expected seconds, got 1700000000000: if these are milliseconds, name the column timeMs',
    ],
    ['a time that goes back', 'time\n5\n3', 'line 3: the time goes back by 2000 ms: expected lines in the order of time; sort the file'],
    [
      'a pause of days',
      'time\n5\n600000',
      'line 3: 167 hours after the line before: is the unit right? timeMs is in ms, timestamp in seconds',
    ],
    ['JSON that is none', '{"time": 1}\n{"time": ', 'line 2: expected one JSON object on the line, got "{\\"time\\": "'],
    ['JSON of another shape', '{"time": 1}\n[1]', 'line 2: expected one JSON object on the line, got "[1]"'],
    ['a field of another type', '{"time": 1, "rows": {}}', 'line 1: rows: expected a number or a string, got {}'],
    ['a quote that does not end', 'time,tenant\n1,"a', 'line 2: a cell in quotes does not end on its line'],
    ['rates and arrivals in one file', 'time,value\n1,5\n2,', 'line 3: expected a rate in the column value, as in the lines before'],
    ['nothing', '', 'line 1: the trace ends without a row'],
    ['a header alone', 'time\n', 'line 1: the trace ends without a row'],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('a line without an end, before it fills the memory', () => {
    const file = new TraceFile(randomStream(1, 0));
    const flood = (): void => {
      for (let i = 0; i < 100; i++) for (const _ of file.push('x'.repeat(10_000))) throw new Error('no row was expected');
    };
    expect(flood).toThrow('line 1: expected at most 65536 characters');
  });

  it('names in JSON that an object inherits mean nothing', () => {
    const file = new TraceFile(randomStream(1, 0));
    expect([...file.push('{"time": 1, "constructor": "x", "toString": 2}\n')]).toMatchObject([bare]);
    expect(file.ignored).toEqual(['constructor', 'toString']);
  });
});

it('tells which columns mean nothing here', () => {
  const file = new TraceFile(randomStream(1, 0));
  expect([...file.push('time,ContextTokens,rows\n1,2,3\n')]).toHaveLength(1);
  expect(file.ignored).toEqual(['ContextTokens']);
});
