export { exitCode } from './exit-code.js';
export type { ExitCode } from './exit-code.js';
export { runCli } from './program.js';
export type { Io, Output } from './io.js';
