import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import SlowFirstSequencer from './test-support/slow-first-sequencer.ts';

// Stripping types is most of what the start of a command or an app costs: workers and what they start keep what was stripped.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node');

const nothing = ['**/node_modules/**', '**/dist/**', 'results/**'];

/** Real servers on a busy machine may need more than the usual second until a condition holds. */
const patient = { poll: { timeout: 15_000 } };

/** Files start servers and wait for them: one more than there are CPUs, and no more than the memory of a machine holds. */
const maxWorkers = Math.min(availableParallelism() + 1, 6);

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirstSequencer },
    reporters: ['default', './test-support/skipped-tests-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...nothing, '**/*.integration.test.ts', '**/*.containers.test.ts', '**/*.timing.test.ts'],
          // Some walk through millions of simulated requests, on a machine that may have other work.
          testTimeout: 60_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.integration.test.ts'],
          exclude: nothing,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: patient,
          // The files of the reference app in one worker share a PostgreSQL.
          globalSetup: './reference-app/test/worker-servers.ts',
          maxWorkers,
        },
      },
      {
        test: {
          name: 'containers',
          include: ['**/*.containers.test.ts'],
          exclude: nothing,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: patient,
          maxWorkers,
        },
      },
      {
        // What is held against the clock runs last and one file at a time: other tests would take its CPU.
        test: {
          name: 'timing',
          include: ['**/*.timing.test.ts'],
          exclude: nothing,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          expect: patient,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
