import { readFileSync } from 'node:fs';
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { grpcFrame } from '../workload/request.js';

export const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** The reply's message, or the gRPC status it failed with. */
export type CallOutcome = { readonly ok: true; readonly message: Buffer } | { readonly ok: false; readonly status: string };

/**
 * A unary gRPC client on bare HTTP/2, without retries, deadlines or compression: less work on the cores that it shares
 * with the server than a full client.
 */
export class GrpcClient {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
    session.on('error', () => undefined);
  }

  /** Rejects when nothing listens there. TLS with an authority, given as a file of PEM. */
  static connect(address: string, authorityFile?: string): Promise<GrpcClient> {
    const secure = authorityFile === undefined ? {} : { ca: readFileSync(authorityFile) };
    return new Promise((resolve, reject) => {
      const scheme = authorityFile === undefined ? 'http' : 'https';
      const session = connect(`${scheme}://${address}`, { settings: { initialWindowSize: 1 << 24 }, ...secure });
      session.once('error', reject);
      session.once('connect', () => resolve(new GrpcClient(session)));
    });
  }

  call(path: string, message: Buffer, timeoutMs = 30_000): Promise<CallOutcome> {
    return new Promise((resolve) => {
      let stream: ClientHttp2Stream;
      try {
        stream = this.#session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
      } catch (error) {
        resolve({ ok: false, status: String(error) });
        return;
      }
      const chunks: Buffer[] = [];
      let status = 'no grpc-status';
      const readStatus = (headers: NodeJS.Dict<string | string[] | number>): void => {
        const code = headers['grpc-status'];
        if (code !== undefined)
          status = code === '0' ? 'OK' : `${String(code)}: ${decodeURIComponent(String(headers['grpc-message'] ?? ''))}`;
      };
      stream.on('response', readStatus);
      stream.on('trailers', readStatus);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('error', (error: Error) => void (status = error.message));
      stream.once('close', () =>
        resolve(status === 'OK' ? { ok: true, message: Buffer.concat(chunks).subarray(5) } : { ok: false, status }),
      );
      stream.setTimeout(timeoutMs, () => {
        status = `no reply within ${timeoutMs} ms`;
        stream.close(constants.NGHTTP2_CANCEL);
      });
      stream.end(grpcFrame(message));
    });
  }

  close(): void {
    this.#session.destroy();
  }
}
