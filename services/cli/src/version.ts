import { readFileSync } from 'node:fs';

/** From package.json, so that it is written once. */
export function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return text;
}
