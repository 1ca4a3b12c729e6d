import pc from 'picocolors';
import { expect, test } from 'vitest';
import { parseLogLine, renderLogLine, wantedAt } from './log-line.js';

test.each([
  [
    'fields follow the message',
    '{"level":"warn","time":"t","name":"n","pid":1,"message":"slow","model":"a b","ms":3}',
    'warn',
    'slow model="a b" ms=3',
  ],
  [
    'an error is told by its message',
    '{"level":"error","message":"load failed","error":{"type":"Error","message":"no file","stack":"at x"}}',
    'error',
    'load failed error="no file"',
  ],
  ['a line of the runtime counts as an error', 'Segmentation fault', 'error', 'Segmentation fault'],
  ['an unknown level is information', '{"level":"trace","message":"x"}', 'info', 'x'],
])('%s', (_, line, level, text) => {
  expect(parseLogLine(line)).toEqual({ level, text });
});

test('the threshold keeps what is at least as grave', () => {
  expect([wantedAt('info', 'warn'), wantedAt('warn', 'warn'), wantedAt('error', 'warn')]).toEqual([false, true, true]);
});

test('a line is marked with the process it came from', () => {
  expect(renderLogLine('replica-0', { level: 'warn', text: 'slow' }, pc.createColors(false))).toBe('replica-0 | warn slow\n');
});
