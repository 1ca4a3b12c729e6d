import { expect, it } from 'vitest';
import { nginxConfig } from './nginx-config.js';

const pair = (name: string) => ({ certificateFile: `/pem/${name}.crt`, keyFile: `/pem/${name}.key` });
const certificates = {
  authorityFile: '/pem/authority.crt',
  server: pair('server'),
  client: pair('client'),
  stranger: pair('stranger'),
  remove: () => undefined,
};
const route = { listenPort: 5001, backend: '127.0.0.1:5002', folder: '/scratch' };

it('passes cleartext HTTP/2 on as cleartext, and writes nowhere but to its folder', () => {
  const text = nginxConfig(route);
  expect(text).toContain('listen 127.0.0.1:5001 http2;');
  expect(text).toContain('server 127.0.0.1:5002;');
  expect(text).toContain('grpc_pass grpc://backend;');
  expect(text).not.toContain('ssl');
  const written = [...text.matchAll(/(?:_temp_path|pid) (\S+);/g)].map(([, path]) => path);
  expect(written).toHaveLength(6);
  expect(written.filter((path) => path?.startsWith('/scratch/') !== true)).toEqual([]);
});

it('ends TLS and begins it anew, and knows the back end by its certificate', () => {
  const text = nginxConfig({ ...route, certificates });
  expect(text).toContain('listen 127.0.0.1:5001 ssl http2;');
  expect(text).toContain('ssl_certificate_key /pem/server.key;');
  expect(text).toContain('grpc_pass grpcs://backend;');
  expect(text).toContain('grpc_ssl_verify on;');
});
