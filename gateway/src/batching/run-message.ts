// Imported: the global of that name is an accessor, and looked up each time.
import { Buffer } from 'node:buffer';
import { mergeRequests, splitResponse } from '@headrace/batching';
import type { Batch } from '@headrace/batching';
import { requestParameter } from '@headrace/proto';
import type { InferResponseView, ParameterValue } from '@headrace/proto';
import type { Job } from './job.js';

/**
 * A lone request is forwarded as it came, byte for byte; several become one request with their rows one after
 * the other, the highest of their priorities and no `timeout` (it has been kept here). Throws a RangeError where the members do not agree.
 */
export function messageOf(members: readonly Job[]): Buffer {
  const [first] = members;
  if (first !== undefined && members.length === 1) return first.view.bytes;
  const parameters = new Map<string, ParameterValue | undefined>([[requestParameter.timeoutUs, undefined]]);
  const priorities = members
    .map(({ view }) => view.parameters.get(requestParameter.priority))
    .filter((value) => typeof value === 'bigint' && value > 0n);
  if (priorities.length > 0)
    parameters.set(
      requestParameter.priority,
      priorities.reduce((best, value) => ((value ?? 0n) < (best ?? 0n) ? value : best)),
    );
  return mergeRequests(
    members.map(({ view }) => view),
    (view, input) => rawOf(view.bytes, view.inputs[input]?.raw),
    { parameters },
  );
}

/** The members' replies, in order. A lone reply is copied as it came: `response.bytes` is borrowed. */
export function repliesOf(
  batch: Batch<Job>,
  response: InferResponseView,
): { readonly ok: true; readonly messages: readonly Buffer[] } | { readonly ok: false; readonly message: string } {
  if (batch.members.length === 1) return { ok: true, messages: [Buffer.from(response.bytes)] };
  return splitResponse(
    response,
    batch.members.map(({ rows }) => rows),
    batch.members.map(({ view }) => view.id),
  );
}

function rawOf(bytes: Buffer, range: { readonly start: number; readonly end: number } | undefined): Buffer {
  return range === undefined ? Buffer.alloc(0) : bytes.subarray(range.start, range.end);
}
