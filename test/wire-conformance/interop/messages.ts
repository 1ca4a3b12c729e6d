/*
 * The messages of grpc.testing.TestService, as far as the interoperability cases use them
 * (grpc/doc/interop-test-descriptions). Protobuf by hand: these programs prove a transport that knows no messages.
 */

type Value = number | boolean | string | Buffer | undefined;

/** Fields by number; numbers and booleans as varints, the rest length-delimited. What has its default value is left out. */
function encode(fields: Readonly<Record<number, Value | readonly Buffer[]>>): Buffer {
  const parts: Buffer[] = [];
  for (const [key, given] of Object.entries(fields)) {
    for (const value of Array.isArray(given) ? (given as readonly Buffer[]) : [given as Value]) {
      if (value === undefined || value === 0 || value === false || value === '') continue;
      if (typeof value === 'number' || typeof value === 'boolean') parts.push(varint(Number(key) * 8), varint(Number(value)));
      else {
        const bytes = Buffer.from(value as string);
        parts.push(varint(Number(key) * 8 + 2), varint(bytes.length), bytes);
      }
    }
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** What a message holds, by field number. */
class Fields {
  readonly #numbers = new Map<number, number>();
  readonly #bytes = new Map<number, Buffer[]>();

  constructor(message: Buffer) {
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = message[at++];
        if (byte === undefined) throw new Error('message ends inside a varint');
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    while (at < message.length) {
      const tag = next();
      const field = tag >>> 3;
      switch (tag & 7) {
        case 0:
          this.#numbers.set(field, next());
          break;
        case 1:
          at += 8;
          break;
        case 2: {
          const length = next();
          this.#bytes.set(field, [...(this.#bytes.get(field) ?? []), message.subarray(at, (at += length))]);
          break;
        }
        case 5:
          at += 4;
          break;
        default:
          throw new Error(`wire type ${tag & 7}`);
      }
    }
  }

  number(field: number): number {
    return this.#numbers.get(field) ?? 0;
  }

  all(field: number): readonly Buffer[] {
    return this.#bytes.get(field) ?? [];
  }

  bytes(field: number): Buffer | undefined {
    return this.#bytes.get(field)?.at(-1);
  }
}

/** Payload: 1 type (only COMPRESSABLE, 0, exists), 2 body. */
function payload(bytes: number): Buffer {
  return encode({ 2: Buffer.alloc(bytes) });
}

function payloadBytes(message: Buffer | undefined): number {
  return message === undefined ? 0 : (new Fields(message).bytes(2)?.length ?? 0);
}

/** EchoStatus: 1 code, 2 message. */
export interface EchoStatus {
  readonly code: number;
  readonly message: string;
}

function echoStatus(message: Buffer | undefined): EchoStatus | undefined {
  if (message === undefined) return undefined;
  const fields = new Fields(message);
  return { code: fields.number(1), message: fields.bytes(2)?.toString() ?? '' };
}

function writeEchoStatus(status: EchoStatus | undefined): Buffer | undefined {
  return status === undefined ? undefined : encode({ 1: status.code, 2: status.message });
}

/** SimpleRequest: 2 response_size, 3 payload, 7 response_status, 9 fill_server_id. */
export interface SimpleRequest {
  readonly responseBytes: number;
  readonly payloadBytes: number;
  readonly status?: EchoStatus | undefined;
  readonly fillServerId?: boolean;
}

export function writeSimpleRequest(request: SimpleRequest): Buffer {
  return encode({
    2: request.responseBytes,
    3: payload(request.payloadBytes),
    7: writeEchoStatus(request.status),
    9: request.fillServerId,
  });
}

export function readSimpleRequest(message: Buffer): SimpleRequest {
  const fields = new Fields(message);
  return {
    responseBytes: fields.number(2),
    payloadBytes: payloadBytes(fields.bytes(3)),
    status: echoStatus(fields.bytes(7)),
    fillServerId: fields.number(9) === 1,
  };
}

/** SimpleResponse: 1 payload, 4 server_id. */
export function writeSimpleResponse(bytes: number, serverId?: string): Buffer {
  return encode({ 1: payload(bytes), 4: serverId });
}

/** The size of its payload. */
export function readSimpleResponse(message: Buffer): number {
  return payloadBytes(new Fields(message).bytes(1));
}

/** StreamingInputCallRequest: 1 payload. */
export function writeStreamingInput(bytes: number): Buffer {
  return encode({ 1: payload(bytes) });
}

export function readStreamingInput(message: Buffer): number {
  return payloadBytes(new Fields(message).bytes(1));
}

/** StreamingInputCallResponse: 1 aggregated_payload_size. */
export function writeAggregatedBytes(bytes: number): Buffer {
  return encode({ 1: bytes });
}

export function readAggregatedBytes(message: Buffer): number {
  return new Fields(message).number(1);
}

/** ResponseParameters: 1 size, 2 interval_us. */
export interface ResponseParameters {
  readonly bytes: number;
  readonly intervalUs?: number;
}

/** StreamingOutputCallRequest: 2 response_parameters, 3 payload, 7 response_status. */
export interface StreamingOutputRequest {
  readonly responses: readonly ResponseParameters[];
  readonly payloadBytes: number;
  readonly status?: EchoStatus | undefined;
}

export function writeStreamingOutputRequest(request: StreamingOutputRequest): Buffer {
  return encode({
    2: request.responses.map(({ bytes, intervalUs }) => encode({ 1: bytes, 2: intervalUs })),
    3: payload(request.payloadBytes),
    7: writeEchoStatus(request.status),
  });
}

export function readStreamingOutputRequest(message: Buffer): StreamingOutputRequest {
  const fields = new Fields(message);
  return {
    responses: fields.all(2).map((each) => {
      const parameters = new Fields(each);
      return { bytes: parameters.number(1), intervalUs: parameters.number(2) };
    }),
    payloadBytes: payloadBytes(fields.bytes(3)),
    status: echoStatus(fields.bytes(7)),
  };
}

/** StreamingOutputCallResponse: 1 payload. */
export function writeStreamingOutput(bytes: number): Buffer {
  return encode({ 1: payload(bytes) });
}

export function readStreamingOutput(message: Buffer): number {
  return payloadBytes(new Fields(message).bytes(1));
}
