// npm run verify: the one gate before a commit.
import { runSteps, staticSteps, testSteps } from './steps.mjs';

const startedMs = performance.now();
const passed = await runSteps([...staticSteps, ...testSteps]);
if (passed) console.log(`verify: all passed in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
else process.exitCode = 1;
