import { Metadata } from '../../metadata.js';
import { isPrintable, keyLayout, printableText, transportKeys } from '../../metadata-rules.js';
import type { HeaderFields } from '../hpack/index.js';
import { field, fieldKind } from './known-fields.js';

/**
 * The metadata in a header list. Never throws: a key outside gRPC's alphabet, or text that is not printable ASCII, is
 * left out. Bytes are decoded as leniently as Node does: with or without padding, characters outside the alphabet
 * skipped. A repeated field is one value each time it occurs.
 */
export function metadataOf(fields: HeaderFields): Metadata {
  const metadata = new Metadata();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? '';
    if (transportKeys.has(name) || !keyLayout.test(name)) continue;
    const value = fields[at + 1] ?? '';
    if (name.endsWith('-bin')) appendBytes(metadata, name, value);
    else if (isPrintable(value)) metadata.append(name, stripped(value));
  }
  return metadata;
}

/** Intermediaries may join repeated fields with commas, which base64 has no use for; gRPC's own fields come once. */
function appendBytes(metadata: Metadata, name: string, value: string): void {
  if (name.startsWith('grpc-') || !value.includes(',')) {
    metadata.append(name, Buffer.from(value, 'base64'));
    return;
  }
  for (const part of value.split(',')) metadata.append(name, Buffer.from(part, 'base64'));
}

/**
 * Adds metadata to a header list, several values of a key as repeated fields, bytes as base64 without padding (as
 * PROTOCOL-HTTP2 asks of senders). Left out is what the transport writes itself, and what HTTP/2 forbids.
 */
export function appendMetadata(metadata: Metadata, into: string[]): void {
  if (metadata.size === 0) return;
  metadata.forEach((key, value) => {
    if (key !== latestFree) {
      if (isReserved(key)) return;
      latestFree = key;
    }
    into.push(key, typeof value === 'string' ? headerText(value) : unpadded(value));
  });
}

/** A key that was found free: mostly the next call's too, as servers and proxies send one (x-request-id) over and over. */
let latestFree = '';

/** user-agent is the channel's; host must not contradict :authority (RFC 9113, section 8.3.1). */
function isReserved(key: string): boolean {
  return transportKeys.has(key) || key === 'user-agent' || key === 'host' || fieldKind(key) === field.connection;
}

/** Printable ASCII only, and no space around it (RFC 9113, section 8.2.1). */
function headerText(value: string): string {
  return isVisible(value) ? value : stripped(printableText(value));
}

/** Short and without a space, as ids are: nothing to strip or replace. A loop is half of what the regular expression takes for them. */
function isVisible(value: string): boolean {
  if (value.length > longestLooped) return false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code <= 0x20 || code > 0x7e) return false;
  }
  return true;
}

const longestLooped = 64;

function stripped(value: string): string {
  return value.startsWith(' ') || value.endsWith(' ') ? value.trim() : value;
}

const equals = 0x3d;

function unpadded(bytes: Buffer): string {
  const text = bytes.toString('base64');
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === equals) end--;
  return end === text.length ? text : text.slice(0, end);
}
