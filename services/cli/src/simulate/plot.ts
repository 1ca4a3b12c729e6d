import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import type { SimulateResult } from './run.js';

export function checkPlotFile(file: string): void {
  if (!/\.(svg|html)$/i.test(file))
    throw usageFailure(`--plot ${file}: expected a name that ends in .svg or .html`, 'e.g. --plot out.html');
}

export async function writePlot(file: string, result: SimulateResult, io: Io): Promise<void> {
  await writeFile(resolve(io.cwd, file), JSON.stringify(result.runs.length));
}
