import type { TestCertificates } from '@headrace/wire/testing';

export interface EnvoyRoute {
  readonly listenPort: number;
  readonly serverPort: number;
  /** Given: TLS with ALPN h2 towards the client and towards the server. */
  readonly certificates: TestCertificates | undefined;
}

/** Envoy as a plain HTTP/2 proxy between one port and one server; JSON is YAML. */
export function envoyConfig({ listenPort, serverPort, certificates }: EnvoyRoute): string {
  const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
  const cluster = 'server';
  // No limits of its own: what is tested is ours.
  const route = { cluster, timeout: '0s', max_stream_duration: { grpc_timeout_header_max: '0s' } };
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    codec_type: 'HTTP2',
    stream_idle_timeout: '0s',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route }] }] },
    http_filters: [{ name: 'router', typed_config: { '@type': type('filters.http.router.v3.Router') } }],
  };
  const chain = { filters: [{ name: 'http', typed_config: manager }] };
  return JSON.stringify({
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: address(listenPort),
          filter_chains: [certificates === undefined ? chain : { ...chain, transport_socket: downstream(certificates, type) }],
        },
      ],
      clusters: [
        {
          name: cluster,
          type: 'STATIC',
          lb_policy: 'LEAST_REQUEST',
          connect_timeout: '5s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': type('upstreams.http.v3.HttpProtocolOptions'),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: cluster,
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(serverPort) } }] }],
          },
          ...(certificates === undefined ? {} : { transport_socket: upstream(certificates, type) }),
        },
      ],
    },
  });
}

function pair(files: { readonly certificateFile: string; readonly keyFile: string }) {
  return [{ certificate_chain: { filename: files.certificateFile }, private_key: { filename: files.keyFile } }];
}

function downstream(certificates: TestCertificates, type: (name: string) => string) {
  const context = { alpn_protocols: ['h2'], tls_certificates: pair(certificates.server) };
  return {
    name: 'tls',
    typed_config: { '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'), common_tls_context: context },
  };
}

function upstream(certificates: TestCertificates, type: (name: string) => string) {
  const context = {
    alpn_protocols: ['h2'],
    tls_certificates: pair(certificates.client),
    validation_context: { trusted_ca: { filename: certificates.authorityFile } },
  };
  return {
    name: 'tls',
    typed_config: { '@type': type('transport_sockets.tls.v3.UpstreamTlsContext'), common_tls_context: context, sni: 'localhost' },
  };
}
