import { describe, expect, it } from 'vitest';
import { isGrpcContentType, listsGzip, parseEncoding } from './encoding.js';

describe('isGrpcContentType', () => {
  it.each([
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['application/grpc;charset=utf-8', true],
    ['application/grpc ; charset=utf-8', true],
    ['Application/GRPC+Proto', true],
    ['application/grpc-web', false],
    ['application/grpcfoo', false],
    ['application/json', false],
    ['text/html', false],
    ['', false],
  ])('%s: %s', (value, is) => {
    expect(isGrpcContentType(value)).toBe(is);
  });
});

describe('listsGzip', () => {
  it.each([
    ['gzip', true],
    ['identity,gzip', true],
    ['identity,deflate,gzip', true],
    [' identity , gzip ,deflate', true],
    ['identity', false],
    ['identity,x-gzip', false],
    ['gzipped', false],
    ['', false],
  ])('%s: %s', (value, lists) => {
    expect(listsGzip(value)).toBe(lists);
  });
});

describe('parseEncoding', () => {
  it.each([
    ['identity', 'identity'],
    ['gzip', 'gzip'],
    ['deflate', undefined],
    ['', undefined],
  ])('%s: %s', (value, encoding) => {
    expect(parseEncoding(value)).toBe(encoding);
  });
});
