import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, need, paths, runCommand, startProcess, tempDir } from '../harness/index.js';
import type { CommandResult, RunningProcess, TempDir } from '../harness/index.js';
import { firstDemoItems, printedCommands, readmeBlock } from './readme-blocks.js';

const ready = /Headrace is ready at (\S+)/;
/** Colours are for terminals; picocolors takes CI for one. */
const plain = { NO_COLOR: '1', FORCE_COLOR: undefined };

function shell(script: string, env: Readonly<Record<string, string>> = {}, cwd: string = paths.root): Promise<CommandResult> {
  return runCommand('sh', ['-c', script], { env: { ...plain, ...env }, cwd, timeoutMs: 120_000 });
}

/** What a shell finds first; `need` says where the tool is. */
function pathWith(program: string): Record<string, string> {
  return { PATH: `${dirname(program)}:${process.env['PATH'] ?? ''}` };
}

describe('npm start', () => {
  let platform: RunningProcess;
  let address = '';
  beforeAll(async () => {
    const ports = ['--grpc-port', String(await freePort()), '--metrics-port', String(await freePort())];
    platform = await startProcess('npm', ['start', '--', ...ports], { cwd: paths.root, env: plain, name: 'npm start', group: true });
    address = await platform.waitFor(
      'the ready line',
      ({ stdout }) => (stdout.includes('Ctrl-C') ? ready.exec(stdout)?.[1] : undefined),
      120_000,
    );
  });
  afterAll(async () => {
    // npm ends with the signal itself; what it started has drained.
    await platform.stop(30_000, 'SIGINT');
    expect(platform.stderr + platform.stdout).toContain('stopped');
  });

  test('names the models it serves', () => {
    expect(platform.stdout).toMatch(/ranker +1 +READY/);
  });

  test('prints a headrace command that works as printed', async () => {
    const { code, stdout, stderr } = await shell(printedCommands(platform.stdout).get('headrace') ?? 'exit 99');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(rankedItems(stdout).slice(0, firstDemoItems.length)).toEqual(firstDemoItems);
  });

  test('prints a grpcurl command that works as printed', async (context) => {
    const grpcurl = await need(context, 'grpcurl');
    const { code, stdout, stderr } = await shell(printedCommands(platform.stdout).get('grpcurl') ?? 'exit 99', pathWith(grpcurl.path));
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const reply = JSON.parse(stdout) as { modelName: string; rawOutputContents: string[] };
    expect(reply.modelName).toBe('ranker');
    expect(reply.rawOutputContents.map((raw) => Buffer.from(raw, 'base64').length)).toEqual([80, 40]);
    expect(Number(Buffer.from(reply.rawOutputContents[0] ?? '', 'base64').readBigInt64LE(0))).toBe(firstDemoItems[0]);
  });

  test('prints Python that works as printed', async (context) => {
    const python = await need(context, 'pythonClients');
    const { code, stdout, stderr } = await shell(printedCommands(platform.stdout).get('python') ?? 'exit 99', pathWith(python.path));
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(new RegExp(`items \\[\\[\\s*${firstDemoItems.join('\\s+')}\\s`));
  });

  test("the README's first example works as written", async () => {
    for (const line of readmeBlock('demo')) {
      const { code, stdout, stderr } = await shell(line, { HEADRACE_ADDRESS: address });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(rankedItems(stdout)).toHaveLength(10);
    }
  });
});

describe('a port that is taken', () => {
  const holder = createServer();
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    port = (holder.address() as AddressInfo).port;
  });
  afterAll(() => void holder.close());

  test.each(['--grpc-port', '--metrics-port'])('is named together with %s', async (flag) => {
    const other = flag === '--grpc-port' ? '--metrics-port' : '--grpc-port';
    const args = [paths.cliMain, 'up', flag, String(port), other, String(await freePort())];
    const { code, stderr } = await runCommand(process.execPath, args, { timeoutMs: 60_000 });
    expect(code).not.toBe(0);
    expect(stderr).toContain(String(port));
    expect(stderr).toContain(flag);
  });
});

describe('serve your own ONNX', () => {
  let folder: TempDir;
  beforeAll(async () => {
    folder = await tempDir('own-model');
    await copyFile(join(paths.models, 'tiny/1/model.onnx'), join(folder.path, 'model.onnx'));
    // The README's reader stands in the clone, where npx finds headrace; here, a clone of node_modules alone.
    await symlink(join(paths.root, 'node_modules'), join(folder.path, 'node_modules'));
    await writeFile(join(folder.path, 'package.json'), '{"private":true}');
  });
  afterAll(() => folder.remove());

  test('takes three lines, which work as written', { timeout: 120_000 }, async () => {
    const lines = readmeBlock('own-model');
    expect(lines).toHaveLength(3);
    const [first = '', second = '', third = ''] = lines;
    for (const line of [first, second]) expect(await shell(line, {}, folder.path)).toMatchObject({ code: 0 });
    // Only the ports differ from the text: those of the default may be in use where tests run.
    const ports = `--grpc-port ${await freePort()} --metrics-port ${await freePort()}`;
    const up = await startProcess('sh', ['-c', `exec ${third} ${ports}`], {
      cwd: folder.path,
      env: plain,
      name: 'headrace up',
      group: true,
    });
    const address = await up.waitFor('the ready line', ({ stdout }) => (stdout.includes('Ctrl-C') ? ready.exec(stdout)?.[1] : undefined));
    expect(up.stdout).toMatch(/mymodel +1 +READY +x FP32\[any, 16\] +y FP32\[any, 4\]/);
    const { code, stdout } = await shell(
      printedCommands(up.stdout).get('headrace') ?? 'exit 99',
      { HEADRACE_ADDRESS: address },
      folder.path,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('FP32[1, 4]') as string });
    await up.stop(30_000, 'SIGINT');
    expect(up.stderr + up.stdout).toContain('stopped');
  });

  test('an empty folder is refused with what is expected in it', async () => {
    await mkdir(join(folder.path, 'empty'), { recursive: true });
    const { code, stderr } = await runCommand(process.execPath, [paths.cliMain, 'up', '--models', join(folder.path, 'missing')]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('missing');
  });
});

/** The numbers of the column `items`. */
function rankedItems(table: string): number[] {
  return [...table.matchAll(/^ +\d+ +(\d+) +0\.\d+/gm)].map((row) => Number(row[1]));
}
