import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { need, runCommand, startPlatform } from '../harness/index.js';
import type { Platform } from '../harness/index.js';

/** Triton's load generator reads ModelConfig and statistics before, between and after its measurements. */
describe('perf_analyzer', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform.stop());

  test.for<readonly [string, readonly string[]]>([
    ['one call at a time', ['--concurrency-range', '1']],
    ['eight calls at once, two rows each', ['--concurrency-range', '8', '-b', '2', '--async']],
    ['a stream', ['--concurrency-range', '4', '--streaming']],
  ])('measures %s without an error', async ([, args], context) => {
    const tool = await need(context, 'perfAnalyzer');
    // Any spread counts as stable: what is looked at is that it gets through, not how fast.
    const counted = ['--measurement-mode', 'count_windows', '--measurement-request-count', '100', '--max-trials', '3', '-s', '100000'];
    const { code, stdout, stderr } = await runCommand(
      tool.path,
      ['-m', 'tiny', '-u', platform.address, '-i', 'grpc', ...counted, ...args],
      {
        env: tool.env,
      },
    );
    expect(`${stderr}${stdout}`).not.toMatch(/failed|error/i);
    expect(stdout).toMatch(/Throughput: [1-9][\d.]* infer\/sec/);
    expect(code).toBe(0);
  });
});
