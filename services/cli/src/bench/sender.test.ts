import { inferenceService } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import type { StreamReceiver } from '@headrace/wire';
import { expect, test } from 'vitest';
import type { Outcome } from './load.js';
import { streamSender } from './sender.js';

const { response } = inferenceService.methods.ModelStreamInfer;
const reply = (id: string, error = '') => response.encode({ error_message: error, ...(id === '' ? {} : { infer_response: { id } }) });

/** A client whose streams are played by the test. */
function played() {
  const receivers: StreamReceiver[] = [];
  const written: string[][] = [];
  const client = {
    openInferStream: (receiver: StreamReceiver) => {
      const mine: string[] = [];
      receivers.push(receiver);
      written.push(mine);
      return {
        write: (message: Buffer) => mine.push(message.toString()) > 0,
        end: () => undefined,
        pause: () => undefined,
        resume: () => undefined,
        cancel: () => undefined,
      };
    },
  };
  return { client, receivers, written };
}

function sending(streams: number) {
  const { client, receivers, written } = played();
  const sender = streamSender(client, streams, (id) => Buffer.from(id));
  const outcomes = new Map<string, Outcome>();
  const send = (name: string) => sender.send((outcome) => outcomes.set(name, outcome));
  return { receivers, written, outcomes, send };
}

test('replies find their request by id, in whatever order they come', () => {
  const { receivers, outcomes, send } = sending(1);
  send('first');
  send('second');
  receivers[0]?.onMessage(reply('2'));
  expect([...outcomes.keys()]).toEqual(['second']);
  receivers[0]?.onMessage(reply('1', 'too short'));
  expect(outcomes.get('first')).toEqual({ reason: 'STREAM_ERROR', message: 'too short' });
});

test('an error without an id belongs to the oldest request', () => {
  const { receivers, outcomes, send } = sending(1);
  send('first');
  send('second');
  receivers[0]?.onMessage(reply('', 'bad'));
  expect([...outcomes]).toEqual([['first', { reason: 'STREAM_ERROR', message: 'bad' }]]);
});

test('requests take turns over the streams', () => {
  const { written, send } = sending(2);
  for (const name of ['a', 'b', 'c']) send(name);
  expect(written).toEqual([['1', '3'], ['2']]);
});

test('a stream that ends fails what waits on it, once, and the next request opens another', () => {
  const { receivers, outcomes, send } = sending(1);
  send('first');
  receivers[0]?.onStatus({ code: statusCode.UNAVAILABLE, message: 'gone' });
  expect(outcomes.get('first')).toMatchObject({ message: 'gone' });
  receivers[0]?.onMessage(reply('1'));
  send('second');
  expect(receivers).toHaveLength(2);
  expect(outcomes.size).toBe(1);
});
