import { expect, test } from 'vitest';
import { parseAnnouncement } from './announcement.js';

test.each([
  [
    'a ready server',
    '{"event":"ready","grpcPort":9001,"metricsPort":null,"models":[]}',
    { event: 'ready', grpcPort: 9001, metricsPort: undefined },
  ],
  ['its metrics port', '{"event":"ready","grpcPort":9001,"metricsPort":9002}', { event: 'ready', grpcPort: 9001, metricsPort: 9002 }],
  [
    'a server that listens',
    '{"event":"listening","grpcPort":9001,"metricsPort":9002}',
    { event: 'listening', grpcPort: 9001, metricsPort: 9002 },
  ],
  [
    'a model',
    '{"event":"model","name":"m","version":3,"state":"READY"}',
    { event: 'model', name: 'm', version: '3', state: 'READY', reason: '' },
  ],
  ['an event of a later version', '{"event":"tuned"}', undefined],
  ['a port that is none', '{"event":"ready","grpcPort":"9001"}', undefined],
  ['a sentence', 'hello', undefined],
  ['half an object', '{"event":', undefined],
  ['a list', '[1]', undefined],
])('%s', (_, line, expected) => {
  expect(parseAnnouncement(line)).toEqual(expected);
});
