import { createRequire } from 'node:module';

export const packageVersion: string = (createRequire(import.meta.url)('@headrace/inference/package.json') as { readonly version: string })
  .version;
