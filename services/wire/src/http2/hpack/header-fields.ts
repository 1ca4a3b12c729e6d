/** Names and values alternate: [name, value, name, value, ...]; latin1 strings, names lower case as received. */
export type HeaderFields = readonly string[];

/** What a field costs beside its octets, in the table (RFC 7541 4.1) and in a list (RFC 9113 6.5.2). */
export const fieldOverheadBytes = 32;

export function fieldBytes(name: string, value: string): number {
  return name.length + value.length + fieldOverheadBytes;
}
