import { cacheRoot } from './install/cache.js';
import { tool, toolNames } from './tools.js';

/** Installs every tool of the tests, two at a time: one compiles, the other mostly downloads. Prints one line each. */
async function main(): Promise<void> {
  const queue = [...toolNames];
  const startedMs = performance.now();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const beganMs = performance.now();
      try {
        const found = await tool(name, (line) => console.log(line));
        const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
        console.log('skip' in found ? `${name}: skipped, ${found.skip}` : `${name}: ready in ${seconds} s`);
      } catch (error) {
        failed = true;
        const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : '';
        console.error(`${name}: ${error instanceof Error ? error.message : String(error)}${cause}`);
      }
    }
  };
  // Compiling grpcurl takes longest: begin with it.
  queue.sort((a, b) => Number(b === 'grpcurl') - Number(a === 'grpcurl'));
  await Promise.all([worker(), worker()]);
  console.log(`tools in ${cacheRoot()}, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  if (failed) process.exitCode = 1;
}

await main();
