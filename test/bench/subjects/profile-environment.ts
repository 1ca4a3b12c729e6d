/** What makes a Node process under test write V8's CPU profiles to `folder` (see profile.ts); nothing without a folder. */
export function profileEnvironment(folder: string | undefined): Record<string, string> {
  if (folder === undefined) return {};
  const profiler = new URL('./profile.js', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${profiler}`, HEADRACE_BENCH_PROFILE: folder };
}
