/**
 * grpc-message travels percent-encoded in a header, and peers bound their headers (8 KiB is common): longer texts are
 * cut. 1,024 characters are 1 KiB encoded where they are ASCII, and at most 9 KiB where each takes three bytes of UTF-8.
 */
const maxMessageCharacters = 1_024;

export function cutStatusMessage(message: string): string {
  return message.length <= maxMessageCharacters ? message : `${message.slice(0, maxMessageCharacters - 3)}...`;
}
