import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../harness/index.js';

/**
 * The lines of the README's block that follows `<!-- test: NAME -->`, so that a test runs what a reader reads:
 *
 *     <!-- test: demo -->
 *     ```sh
 *     npx headrace infer ...
 *     ```
 */
export function readmeBlock(name: string, language: 'sh' | 'yaml' = 'sh'): string[] {
  const readme = readFileSync(join(paths.root, 'README.md'), 'utf8');
  const block = new RegExp(`<!-- test: ${name} -->\\n\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)?.[1];
  if (block === undefined) throw new Error(`README.md has no block "${name}"`);
  return block.trimEnd().split('\n');
}

/** The pasteable commands that `headrace up` prints, each under the comment that introduces it. */
export function printedCommands(stdout: string): ReadonlyMap<'headrace' | 'grpcurl' | 'python', string> {
  const introductions = { headrace: '# in a second terminal', grpcurl: '# with grpcurl', python: '# from Python' } as const;
  const found = new Map<'headrace' | 'grpcurl' | 'python', string>();
  for (const [tool, introduction] of Object.entries(introductions) as [keyof typeof introductions, string][]) {
    const command = new RegExp(`^${introduction}[^\\n]*\\n([^]*?)\\n\\n`, 'm').exec(stdout)?.[1];
    if (command !== undefined) found.set(tool, command);
  }
  return found;
}

/** The ten items that the demo model ranks first for the example's history; see services/demo/README.md. */
export const firstDemoItems = [79, 98, 56, 195, 183] as const;
