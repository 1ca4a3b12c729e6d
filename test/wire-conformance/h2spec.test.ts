import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates, startPlainHttp2Server } from '@headrace/wire/testing';
import { describe, expect, test } from 'vitest';
import { need, runCommand, tempDir } from '../harness/index.js';
import { readH2specReport } from './h2spec-report.js';

/** Enough for every case that opens a window byte by byte. */
const body = Buffer.from('one body for every path\n');
/** Version 2.2.1 has so many: fewer were run, and the report is no proof. */
const leastCases = 145;
/** What h2spec itself leaves out, and why. */
const knownSkips: readonly string[] = [];

const variants = [
  { name: 'cleartext', secure: false, flags: [] },
  { name: 'cleartext, with its strict cases', secure: false, flags: ['--strict'] },
  { name: 'TLS, with its strict cases', secure: true, flags: ['--tls', '--insecure', '--strict'] },
] as const;

/** HTTP/2 as h2spec understands it: RFC 7540 and 7541 case by case, from outside. */
describe('h2spec', { timeout: 300_000 }, () => {
  test.for(variants)('fails no case over $name', async ({ secure, flags }, context) => {
    const h2spec = await need(context, 'h2spec');
    const certificates = secure ? await makeCertificates() : undefined;
    const server = await startPlainHttp2Server(body, certificates?.server);
    const folder = await tempDir('h2spec');
    const report = join(folder.path, 'report.xml');
    try {
      const args = ['--host', '127.0.0.1', '--port', String(server.port), '--timeout', '5', '--junit-report', report, ...flags];
      const { stdout, stderr } = await runCommand(h2spec.path, args);
      const cases = readH2specReport(await readFile(report, 'utf8').catch(() => ''));
      expect(cases.length, `${stdout}${stderr}`.slice(-2_000)).toBeGreaterThanOrEqual(leastCases);
      expect(cases.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      expect(cases.filter(({ outcome }) => outcome === 'skipped').map(({ name }) => name)).toEqual(knownSkips);
    } finally {
      await server.close();
      await folder.remove();
      certificates?.remove();
    }
  });
});
