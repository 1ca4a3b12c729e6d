import { describe, expect, it } from 'vitest';
import { HeadraceError } from '../errors.js';
import type { LoggerOptions } from './logger.js';
import { createLogger, silentLogger } from './logger.js';
import { prettyLine } from './pretty.js';

function logged(options: Partial<LoggerOptions>, write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger({ name: 'headrace-test', ...options, stream: { write: (line) => void lines.push(line) } }));
  return lines;
}

const parsed = (line: string | undefined): Record<string, unknown> => JSON.parse(line ?? '{}') as Record<string, unknown>;

describe('createLogger', () => {
  it('writes one JSON object a line, with name, level by word, time and message', () => {
    const [line] = logged({}, (logger) => logger.info({ model: 'ranker', rows: 3 }, 'batch sent'));
    expect(parsed(line)).toMatchObject({ name: 'headrace-test', level: 'info', model: 'ranker', rows: 3, message: 'batch sent' });
    expect(String(parsed(line)['time'])).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(line?.endsWith('\n')).toBe(true);
  });

  it('adds the fields of its parents', () => {
    const [line] = logged({}, (logger) => logger.child({ requestId: 'r-1' }).child({ model: 'm' }).warn({}, 'slow'));
    expect(parsed(line)).toMatchObject({ requestId: 'r-1', model: 'm', level: 'warn' });
  });

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('at level %s writes %j', (level, expected) => {
    const lines = logged({ level }, (logger) => {
      logger.debug({}, 'm');
      logger.info({}, 'm');
      logger.warn({}, 'm');
      logger.error({}, 'm');
    });
    expect(lines.map((line) => parsed(line)['level'])).toEqual(expected);
  });

  it('writes errors with their stack and causes', () => {
    const [line] = logged({}, (logger) =>
      logger.error({ error: new Error('outer', { cause: HeadraceError.of('QUEUE_FULL', 'inner') }) }, 'failed'),
    );
    expect(parsed(line)['error']).toMatchObject({ type: 'Error', message: 'outer', cause: { message: 'inner' } });
    expect(JSON.stringify(parsed(line)['error'])).toContain('logger.test.ts');
  });

  it.each([
    [{ authorization: 'Bearer hunter2' }],
    [{ metadata: { authorization: 'Bearer hunter2' } }],
    [{ headers: { 'set-cookie': 'hunter2', 'x-api-key': 'hunter2' } }],
    [{ password: 'hunter2', token: 'hunter2', config: { privateKey: 'hunter2' } }],
  ])('never writes secrets: %j', (fields) => {
    const lines = logged({}, (logger) => {
      logger.info(fields, 'm');
      logger.child(fields).info({}, 'm');
    });
    expect(lines.length).toBe(2);
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('keeps one entry on one line, whatever a field holds', () => {
    const [line] = logged({}, (logger) => logger.info({ id: 'a\n{"level":"error"}\u2028' }, 'm'));
    expect(line?.trimEnd()).not.toContain('\n');
    expect(parsed(line)['id']).toBe('a\n{"level":"error"}\u2028');
  });

  it('writes for people on demand', () => {
    const [line] = logged({ format: 'pretty' }, (logger) => logger.warn({ model: 'ranker', why: 'two words' }, 'slow'));
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} .*warn.* slow model=ranker why="two words"\n$/);
  });
});

it('prettyLine leaves alone what is no JSON', () => {
  expect(prettyLine('plain text\n', false)).toBe('plain text\n');
});

it('silentLogger has silent children', () => {
  expect(silentLogger.child({ a: 1 })).toBe(silentLogger);
});
