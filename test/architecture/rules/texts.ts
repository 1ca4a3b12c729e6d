import { lineAt } from '../imports.js';
import type { Rule, SourceFile } from '../repository.js';

interface Forbidden {
  readonly what: string;
  readonly pattern: RegExp;
  readonly notIn?: RegExp;
}

const lockFile = /(^|\/)package-lock\.json$/;

/** What belongs to one machine, one network or one working day, and not to the product. */
const forbidden: readonly Forbidden[] = [
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.$}~-])\/(work|root|Users\/[a-z]\w*|home\/(?!nonroot\b|node\b|headrace\b)[a-z]\w*|tmp\/[\w.-]+)(?=[/\s"'`)]|$)/gm,
    // Paths inside an image or as data of a test are no machine's: they are written there on purpose.
    notIn: /(^|\/)Dockerfile|\.test\.ts$/,
  },
  {
    what: 'a registry host',
    pattern: /\b(registry\.npmjs\.org|pypi\.org|files\.pythonhosted\.org|proxy\.golang\.org|deb\.debian\.org)\b/g,
    notIn: lockFile,
  },
  { what: 'a note to oneself', pattern: /\b(TODO|FIXME|XXX|HACK)\b/g },
  { what: 'a number that means nothing outside a tracker', pattern: /\b[Ii]ssue #?\d+\b/g },
  { what: 'a merge left undone', pattern: /^(<{7} |>{7} |={7}$)/gm },
];

export const noForbiddenTexts: Rule = ({ files }) =>
  files.filter(({ path }) => !path.startsWith('test/architecture/')).flatMap((file) => forbidden.flatMap((each) => findings(file, each)));

function findings({ path, text }: SourceFile, { what, pattern, notIn }: Forbidden): ReturnType<Rule> {
  if (notIn?.test(path) === true) return [];
  return [...text.matchAll(pattern)].map((match) => ({ path, line: lineAt(text, match.index), message: `${what}: ${match[0].trim()}` }));
}
