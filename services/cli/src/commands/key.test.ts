import { createHash } from 'node:crypto';
import { parseApiKeys } from '@headrace/gateway';
import { describe, expect, it } from 'vitest';
import { exitCode } from '../exit-code.js';
import { runCli } from '../program.js';
import { testIo } from '../testing/test-io.js';

async function create(...args: string[]) {
  const { io, stdout, stderr } = testIo();
  const code = await runCli(['key', 'create', ...args], io);
  return { code, stdout: stdout(), stderr: stderr() };
}

interface Made {
  readonly key: string;
  readonly sha256: string;
  readonly line: string;
}
const made = async (...args: string[]): Promise<Made> => JSON.parse((await create(...args, '--json')).stdout) as Made;
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

describe('headrace key create', () => {
  it('shows the key once, and the line for the file of keys, which does not hold it', async () => {
    const { code, stdout } = await create('--tenant', 'acme');
    expect(code).toBe(exitCode.ok);
    const [key = ''] = /hr_[\w-]{43}$/m.exec(stdout) ?? [];
    expect(stdout.split(key)).toHaveLength(2);
    expect(stdout).toContain(`- { tenant: acme, sha256: "${sha256(key)}" }`);
  });

  it('tells scripts the same as one object', async () => {
    const { key, sha256: digest, line } = await made('--tenant', 'acme', '--tier', 'gold');
    expect(digest).toBe(sha256(key));
    expect(line).toBe(`- { tenant: acme, tier: gold, sha256: "${digest}" }`);
  });

  it('never makes the same key twice, and each of 256 bits', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, async () => (await made('--tenant', 'a')).key));
    expect(new Set(keys).size).toBe(20);
    expect(keys.map((key) => Buffer.from(key.slice(3), 'base64url').length)).toEqual(Array(20).fill(32));
  });

  it.each(['acme', 'no', '1e5', '~', 'spiffe://shop/acme', "it's", 'a: b, c}', '#x', '日本', ' "quoted" \\'])(
    'a gateway reads the line of the tenant %j as it was meant',
    async (tenant) => {
      const { key, line } = await made('--tenant', tenant, '--tier', tenant);
      const book = parseApiKeys(`keys:\n  ${line}\n`, 'keys.yaml');
      if (!book.ok) throw new Error(JSON.stringify(book.refusal));
      expect(book.value.get(sha256(key))).toEqual({ ok: true, value: { tenant, tier: tenant, proven: true } });
    },
  );

  it.each([
    ['no tenant', [], /--tenant <name>' not specified/],
    ['an empty tenant', ['--tenant', ''], /--tenant: expected a name, got nothing/],
    ['a name that would forge lines', ['--tenant', 'a\nb'], /--tenant: expected no control characters/],
    ['an empty tier', ['--tenant', 'a', '--tier', ''], /--tier: expected a name, got nothing/],
  ] as const)('refuses %s as wrong flags', async (_, args, why) => {
    const { code, stdout, stderr } = await create(...args);
    expect([code, stdout]).toEqual([exitCode.usage, '']);
    expect(stderr).toMatch(why);
  });

  it('says how to rotate one', async () => {
    expect((await create('--help')).stdout).toContain('To rotate a key add the');
  });
});
