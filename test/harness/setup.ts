import { afterAll } from 'vitest';
import { killLeftProcesses } from './process.js';

/** Runs around each test file: what a file starts, it ends. */
afterAll(async () => {
  const left = await killLeftProcesses();
  if (left.length > 0) throw new Error(`left running by this file, now killed: ${left.join(', ')}`);
});
