/** Text of a server, for a terminal, which would obey control characters. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- replacing control characters is the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\uFFFD');
}
