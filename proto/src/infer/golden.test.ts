import { readFileSync } from 'node:fs';
import { fromJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { actualView } from '../testing/actual-view.js';
import { expectedView } from '../testing/expected-view.js';
import { messageType } from '../testing/full-decoder.js';
import { isDatatype } from './datatype.js';
import type { InputView, TensorToWrite } from './request.js';
import { scanInferRequest } from './scan-request.js';
import { scanInferResponse } from './scan-response.js';
import { writeInferRequest } from './write-request.js';
import { writeInferResponse } from './write-response.js';

/* The files are written by Google's protobuf for Python; see golden/make_golden.py. */
const golden = (name: string): Buffer => readFileSync(new URL(`../../golden/${name}`, import.meta.url));

const messageTypes = {
  request: messageType('inference.ModelInferRequest'),
  response: messageType('inference.ModelInferResponse'),
} as const;

interface Verdict {
  readonly how: string;
  readonly kind: 'request' | 'response';
  /** The message in hex. */
  readonly bytes: string;
  /** What the reference implementation writes after reading it, in hex; null where it refuses. */
  readonly canonical: string | null;
  /**
   * Where implementations differ and the reference one (upb) stands alone or with few: it drops a whole map entry that has an
   * unknown field.
   */
  readonly differs?: string;
}

describe('messages of the reference implementation', () => {
  it.each(['request-raw', 'request-typed', 'request-parameters', 'response-raw', 'response-typed'])(
    '%s is read as its JSON says',
    (name) => {
      const kind = name.startsWith('request') ? 'request' : 'response';
      const json = JSON.parse(golden(`${name}.json`).toString()) as JsonValue;
      const expected = expectedView(fromJson(messageTypes[kind], json), kind);
      expect(expected).toBeDefined();
      expect(actualView(golden(`${name}.bin`), kind)).toEqual(expected);
    },
  );

  it('request-raw is written byte for byte as the reference implementation writes it', () => {
    const bytes = golden('request-raw.bin');
    const scanned = scanInferRequest(bytes);
    if (!scanned.ok) throw new Error(scanned.message);
    const inputs = scanned.view.inputs.map((input) => toWrite(bytes, input));
    expect(writeInferRequest({ ...scanned.view, inputs }).toString('hex')).toBe(bytes.toString('hex'));
  });

  it('response-raw is written byte for byte as the reference implementation writes it', () => {
    const bytes = golden('response-raw.bin');
    const scanned = scanInferResponse(bytes);
    if (!scanned.ok) throw new Error(scanned.message);
    const outputs = scanned.view.outputs.map((output) => toWrite(bytes, output));
    expect(writeInferResponse({ ...scanned.view, outputs }).toString('hex')).toBe(bytes.toString('hex'));
  });
});

describe('messages changed on the wire are accepted, refused and read as by the reference implementation', () => {
  const verdicts = JSON.parse(golden('verdicts.json').toString()) as readonly Verdict[];

  const named = verdicts.map((verdict, index) => ({ ...verdict, name: `${index}: ${verdict.how}` }));
  // Both may then be refused for a reason of our own (a negative dimension); that is one answer, too.
  const viewsOf = ({ kind, bytes, canonical }: (typeof named)[number]) => ({
    expected: canonical === null ? undefined : actualView(Buffer.from(canonical, 'hex'), kind),
    actual: actualView(Buffer.from(bytes, 'hex'), kind),
  });

  it.each(named.filter(({ differs }) => differs === undefined))('$name', (verdict) => {
    const { actual, expected } = viewsOf(verdict);
    expect(actual).toEqual(expected);
  });

  it.each(named.filter(({ differs }) => differs !== undefined))('$name, where we differ', (verdict) => {
    const { actual, expected } = viewsOf(verdict);
    expect(actual).not.toEqual(expected);
  });
});

function toWrite(bytes: Buffer, { name, datatype, shape, raw }: InputView): TensorToWrite {
  if (!isDatatype(datatype) || raw === undefined) throw new Error(`${name} is no raw tensor of a known datatype`);
  return { name, datatype, shape, data: [bytes.subarray(raw.start, raw.end)] };
}
