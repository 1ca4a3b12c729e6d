import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

export interface CollectedSpan {
  /** service.name of the process that sent it. */
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** undefined: the root of its trace. */
  readonly parentSpanId: string | undefined;
  /** SpanKind of OTLP: 2 is SERVER. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Status of OTLP: 0 unset, 2 error. */
  readonly status: { readonly code: number; readonly message: string | undefined };
}

export interface SpanCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** In the order in which they came. */
  readonly spans: readonly CollectedSpan[];
  /** POSTs that came, whatever was answered. */
  readonly posts: number;
  close(): Promise<void>;
}

/** keep: an OTLP/HTTP collector. fail: 500 to each post. hang: takes each post and never answers. */
export type CollectorBehaviour = 'keep' | 'fail' | 'hang';

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** ExportTraceServiceRequest in OTLP's JSON form: ids in hex, 64-bit numbers as text. */
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly KeyValue[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** A collector of spans on a port that the kernel picks. */
export async function startSpanCollector(behaviour: CollectorBehaviour = 'keep'): Promise<SpanCollector> {
  const spans: CollectedSpan[] = [];
  let posts = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posts += 1;
      if (behaviour === 'hang') return;
      if (behaviour === 'fail') return answer(response, 500);
      if (request.method !== 'POST' || request.url !== '/v1/traces') return answer(response, 404);
      if (request.headers['content-type'] !== 'application/json') return answer(response, 415);
      spans.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString('utf8')) as ExportRequest));
      answer(response, 200);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    get posts() {
      return posts;
    },
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
}

function spansOf({ resourceSpans }: ExportRequest): readonly CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(attributesOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => spanOf(service, span)));
  });
}

function spanOf(service: string, span: OtlpSpan): CollectedSpan {
  return {
    service,
    name: span.name,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    kind: span.kind,
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes ?? []),
    status: { code: span.status?.code ?? 0, message: span.status?.message },
  };
}

/** An AnyValue has one field, e.g. {"stringValue": "x"}. */
function attributesOf(list: readonly KeyValue[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
