import { defineConfig } from 'vitest/config';

/** Unit tests lie beside their source; what needs built packages, other programs or processes lies under test/. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // As headrace-inference runs it: see its main.ts.
          env: { ORT_DISABLE_TELEMETRY: '1' },
          include: [
            'proto/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'gateway/src/**/*.test.ts',
            'test/{architecture,harness,bench,reference}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'integration',
          env: { ORT_DISABLE_TELEMETRY: '1' },
          include: ['test/{integration,conformance,wire-conformance,faults,examples}/**/*.test.ts'],
          setupFiles: ['test/harness/setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          // Each file starts servers and clients of its own on two cores: one after the other.
          fileParallelism: false,
        },
      },
    ],
  },
});
