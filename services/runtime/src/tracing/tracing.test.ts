import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { parseTraceparent } from './traceparent.js';
import { startTracing } from './tracing.js';

// Real sockets on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const unsampled = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

describe('without an endpoint', () => {
  it.each([
    ['passes a parent on unchanged', parent, parent],
    ['drops a parent that is invalid', 'rubbish', undefined],
    ['makes up nothing', undefined, undefined],
  ])('%s', (_name, given, sent) => {
    const tracing = startTracing({ serviceName: 'test' });
    const span = tracing.startSpan('s', { parent: given, tracestate: 'a=b' });
    expect([span.traceparent, span.tracestate, tracing.active]).toEqual([sent, sent === undefined ? undefined : 'a=b', false]);
    span.setAttributes({ a: 1 });
    span.fail('x');
    span.end();
  });

  it.each([
    ['does not load', undefined, false],
    ['given an endpoint, does load', 'http://127.0.0.1:1', true],
  ])('%s OpenTelemetry', (_name, endpoint, loads) => {
    const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
    const program = `
      import { createRequire } from 'node:module';
      import { startTracing } from ${JSON.stringify(built)};
      await startTracing({ serviceName: 'x', endpoint: ${JSON.stringify(endpoint)} }).ready;
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(loaded.some((file) => file.includes('@opentelemetry/sdk')));
      process.exit();`;
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(result.stdout.trim()).toBe(String(loads));
  });
});

/** A collector that keeps what it gets. */
async function collector() {
  const bodies: unknown[] = [];
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      paths.push(request.url);
      bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, bodies, paths, close: () => server.close() };
}

describe('with a collector', () => {
  it('records spans under their parent and sends them', async () => {
    const { endpoint, bodies, paths, close } = await collector();
    const tracing = startTracing({ serviceName: 'headrace-test', endpoint: `${endpoint}/` });
    await tracing.ready;
    expect(tracing.active).toBe(true);
    const outer = tracing.startSpan('outer', { parent, tracestate: 'a=b', kind: 'server', attributes: { model: 'm' } });
    const inner = tracing.startSpan('inner', { parent: outer.traceparent, kind: 'client' });
    inner.fail('why');
    outer.end();
    await tracing.shutdown();
    close();
    const outerParent = parseTraceparent(outer.traceparent);
    expect([outerParent?.traceId, outer.tracestate]).toEqual([parseTraceparent(parent)?.traceId, 'a=b']);
    expect(outerParent?.spanId).not.toBe(parseTraceparent(parent)?.spanId);
    expect(new Set(paths)).toEqual(new Set(['/v1/traces']));
    const text = JSON.stringify(bodies);
    expect(text).toContain('headrace-test');
    const spans = (bodies as { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] }[]).flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
    const named = (name: string) => spans.find((span) => span['name'] === name);
    expect(named('outer')).toMatchObject({ parentSpanId: parseTraceparent(parent)?.spanId, kind: 2 });
    expect(named('inner')).toMatchObject({ parentSpanId: outerParent?.spanId, kind: 3, status: { code: 2, message: 'why' } });
  });

  it('respects a parent that is not sampled, and starts a trace where there is no parent', async () => {
    const { endpoint, bodies, close } = await collector();
    const tracing = startTracing({ serviceName: 'headrace-test', endpoint });
    await tracing.ready;
    const quiet = tracing.startSpan('quiet', { parent: unsampled });
    const fresh = tracing.startSpan('fresh');
    quiet.end();
    expect(parseTraceparent(quiet.traceparent)).toMatchObject({ traceId: parseTraceparent(unsampled)?.traceId, sampled: false });
    expect(parseTraceparent(fresh.traceparent)?.sampled).toBe(true);
    fresh.end();
    await tracing.shutdown();
    close();
    expect(JSON.stringify(bodies)).toContain('"fresh"');
    expect(JSON.stringify(bodies)).not.toContain('"quiet"');
  });

  it('does not hold up or fail the process when the collector is gone', async () => {
    const { endpoint, close } = await collector();
    close();
    const tracing = startTracing({ serviceName: 'headrace-test', endpoint });
    await tracing.ready;
    tracing.startSpan('lost').end();
    await expect(tracing.shutdown()).resolves.toBeUndefined();
  });
});
