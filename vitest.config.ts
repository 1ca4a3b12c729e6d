import { defineConfig } from 'vitest/config';

/** Unit tests lie beside their source; what needs built packages, other programs or processes lies under test/. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
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
          include: ['test/{integration,conformance,faults,examples}/**/*.test.ts'],
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
