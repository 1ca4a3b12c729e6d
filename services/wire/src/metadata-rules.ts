/** What gRPC and HTTP/2 use for themselves; it never shows above the port, and is never taken from above. */
export const transportKeys: ReadonlySet<string> = new Set([
  'accept-encoding',
  'content-length',
  'content-type',
  'date',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
  'te',
]);

/** gRPC's alphabet for keys is smaller than HTTP/2's; pseudo-header fields are outside both. */
export const keyLayout = /^[0-9a-z_.-]+$/;

const printable = /^[\x20-\x7e]*$/;
const unprintable = /[^\x20-\x7e]/g;

/** Printable ASCII, which is all that metadata text may be (grpc/doc/PROTOCOL-HTTP2: ASCII-Value). */
export function isPrintable(value: string): boolean {
  return printable.test(value);
}

/** A value that merely quotes the caller (a request id) must not fail the call: other characters become "?". */
export function printableText(value: string): string {
  return printable.test(value) ? value : value.replaceAll(unprintable, '?');
}
