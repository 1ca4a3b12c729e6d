import { expect, test } from 'vitest';
import { modelState } from './model-state.js';

test.each([
  ['READY', 'READY'],
  ['State.READY', 'READY'],
  ['State.UNAVAILABLE', 'UNAVAILABLE'],
  ['', ''],
])('%j is the state %j', (sent, state) => {
  expect(modelState(sent)).toBe(state);
});
