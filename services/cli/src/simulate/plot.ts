import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import { plotSpec } from './plot-spec.js';
import type { SimulateResult } from './run.js';

export function checkPlotFile(file: string): void {
  if (!/\.(svg|html)$/i.test(file))
    throw usageFailure(`--plot ${file}: expected a name that ends in .svg or .html`, 'e.g. --plot out.html');
}

/** Writes the picture: an SVG, or a page with it and the report's text that needs nothing else. */
export async function writePlot(file: string, result: SimulateResult, report: string, io: Io): Promise<void> {
  const svg = await drawSvg(result);
  const text = /\.html$/i.test(file) ? htmlPage(svg, result, report) : svg;
  try {
    await writeFile(resolve(io.cwd, file), text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw usageFailure(`--plot ${file}: cannot be written (${code})`, 'name a file in a folder that exists and may be written to');
  }
}

/** Loads the plot's libraries when it is called: they take longer than most commands. */
async function drawSvg(result: SimulateResult): Promise<string> {
  const [vega, lite] = await Promise.all([import('vega'), import('vega-lite')]);
  const { spec } = lite.compile(plotSpec(result));
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

function htmlPage(svg: string, { runs }: SimulateResult, report: string): string {
  const title = escapeHtml(`Simulated traffic: ${runs.map(({ file }) => file).join(' and ')}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
  body { margin: 24px auto; max-width: 1280px; padding: 0 16px; background: white; color: #222; font: 14px/1.45 Helvetica, Arial, sans-serif; }
  figure { margin: 0; }
  svg { max-width: 100%; height: auto; }
  pre { overflow-x: auto; font: 13px/1.4 ui-monospace, Menlo, Consolas, monospace; }
</style>
</head>
<body>
<figure role="img" aria-label="${title}; the figures are in the text below">
${svg}
</figure>
<pre>${escapeHtml(report)}</pre>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign);
}
