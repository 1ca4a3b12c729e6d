import { describe, expect, it } from 'vitest';
import type { Codec } from './codec.js';
import { inferenceService } from './services.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const { ModelReady, ModelConfig, RepositoryModelLoad } = inferenceService.methods;

describe('decoding a rare message', () => {
  it.each<[what: string, codec: Codec<object, unknown>, bytes: string]>([
    ['a string that the end of the message cuts off', ModelReady.request, '0a05 6162'],
    ['a string whose length is cut off', ModelReady.request, '0a80'],
    ['a string that runs past the submessage it stands in', ModelConfig.response, '0a03 0a0561 62636465'],
    ['a map key that runs past its entry', RepositoryModelLoad.request, '1a03 0a0561 62636465'],
    ['a submessage that the end of the message cuts off', ModelConfig.response, '0a05 0a0161'],
  ])('refuses %s', (_what, codec, bytes) => {
    expect(() => codec.decode(hex(bytes))).toThrow(RangeError);
  });

  it.each(['', 'm', 'größe 世界 🙂', '\uFEFFa', 'n'.repeat(300)])('reads the whole string %j', (name) => {
    expect(ModelReady.request.decode(ModelReady.request.encode({ name })).name).toBe(name);
  });

  it('refuses every cut that is not between two fields', () => {
    const whole = ModelReady.request.encode({ name: 'ranker', version: '3' });
    const accepted = Array.from({ length: whole.length + 1 }, (_none, end) => end).filter((end) => {
      try {
        ModelReady.request.decode(whole.subarray(0, end));
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual([0, 8, 11]);
  });
});
