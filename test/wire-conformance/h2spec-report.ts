export interface H2specCase {
  /** "http2/6.9.1 Sends SETTINGS frame ..." */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Of a failure: what was expected and what came. */
  readonly text: string;
}

/** h2spec's JUnit report. Its cases carry their section in `package` and their sentence in `classname`. */
export function readH2specReport(xml: string): readonly H2specCase[] {
  return [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, attributes = '', inside = '']) => ({
    name: `${attribute(attributes, 'package')} ${attribute(attributes, 'classname')}`,
    outcome: /<(failure|error)\b/.test(inside) ? 'failed' : /<skipped\b/.test(inside) ? 'skipped' : 'passed',
    text: plain(inside.replace(/<[^>]*>/g, ' ')).trim(),
  }));
}

function attribute(attributes: string, name: string): string {
  return plain(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
}

function plain(text: string): string {
  return text
    .replace(/&#(\d+);|&#x([0-9a-fA-F]+);/g, (_all, decimal: string | undefined, hex: string | undefined) =>
      String.fromCodePoint(decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)),
    )
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&');
}
