import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mustRun, runCommand } from './command.js';
import { paths } from './paths.js';

const node = process.execPath;

describe('a program that is run to its end', () => {
  test('gives its code and both streams, whatever the code', async () => {
    const code = `process.stdin.on('data', (d) => process.stdout.write(d)).on('end', () => { console.error('done'); process.exitCode = 3; })`;
    expect(await runCommand(node, ['-e', code], { input: 'told' })).toEqual({ code: 3, stdout: 'told', stderr: 'done\n' });
  });

  test('fails with what it printed where it has to succeed', async () => {
    await expect(mustRun(node, ['-e', `console.error('no such version'); process.exit(2)`])).rejects.toThrow(
      /ended with 2:\n[\s\S]*no such version/,
    );
  });

  test('is killed when its time is up', async () => {
    expect(await runCommand(node, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 200 })).toMatchObject({ code: null });
  });

  test('that is not there is refused at once, and nothing of it holds the caller back', async () => {
    const module = pathToFileURL(join(paths.root, 'test/dist/test/harness/command.js')).href;
    const code = `import(${JSON.stringify(module)}).then(({ runCommand }) => runCommand('no-such-program', [])).catch((e) => console.log(e.code))`;
    expect(await runCommand(node, ['-e', code], { timeoutMs: 20_000 })).toMatchObject({ code: 0, stdout: 'ENOENT\n' });
  });
});
