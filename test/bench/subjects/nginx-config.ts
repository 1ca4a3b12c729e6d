import { join } from 'node:path';
import type { TestCertificates } from '@headrace/wire/testing';

export interface NginxRoute {
  readonly listenPort: number;
  /** "host:port" */
  readonly backend: string;
  /** Given: TLS towards the client and towards the back end. */
  readonly certificates?: TestCertificates | undefined;
  /** For all that nginx writes. */
  readonly folder: string;
}

/** grpc_pass speaks one request at a time on an upstream connection: without kept connections each request would open one. */
const keptConnections = 256;
/** Connections are otherwise closed after 1,000 requests, on both sides. */
const endless = 1_000_000_000;

/** nginx as a plain gRPC proxy with one worker; the reference: ngx_http_grpc_module, ngx_http_v2_module. */
export function nginxConfig({ listenPort, backend, certificates, folder }: NginxRoute): string {
  const writes = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `  ${each}_temp_path ${join(folder, each)};`);
  const secure = certificates !== undefined;
  const tls = secure
    ? [
        `    ssl_certificate ${certificates.server.certificateFile};`,
        `    ssl_certificate_key ${certificates.server.keyFile};`,
        `    grpc_ssl_trusted_certificate ${certificates.authorityFile};`,
        '    grpc_ssl_verify on;',
        '    grpc_ssl_name localhost;',
      ]
    : [];
  return [
    'daemon off;',
    'worker_processes 1;',
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr warn;',
    'events { worker_connections 1024; }',
    'http {',
    '  access_log off;',
    ...writes,
    `  keepalive_requests ${endless};`,
    '  upstream backend {',
    `    server ${backend};`,
    `    keepalive ${keptConnections};`,
    `    keepalive_requests ${endless};`,
    '  }',
    '  server {',
    `    listen 127.0.0.1:${listenPort} ${secure ? 'ssl ' : ''}http2;`,
    ...tls,
    `    location / { grpc_pass ${secure ? 'grpcs' : 'grpc'}://backend; }`,
    '  }',
    '}',
    '',
  ].join('\n');
}
