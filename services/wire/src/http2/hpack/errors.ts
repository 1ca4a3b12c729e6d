/** A header block that breaks RFC 7541. The table is lost with it: the connection ends with COMPRESSION_ERROR (RFC 9113 4.3). */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}
