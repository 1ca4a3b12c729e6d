import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelConfigRoot } from '@headrace/proto';
import { describeError } from '@headrace/runtime';
import { parseMessageJson } from './message-json.js';
import { settingsFromModelConfig } from './model-config.js';
import { settingsFromYaml } from './model-yaml.js';
import { parseTextFormat } from './pbtxt.js';
import type { SettingsResult } from './settings.js';
import { defaultSettings } from './settings.js';

/** The files a model folder may be configured by, in this order; the first that exists is the one. */
export const settingsFiles = ['model.yaml', 'config.pbtxt'] as const;

/** Far above any real configuration. */
const maxSettingsBytes = 1024 * 1024;

/** Reads a model folder's configuration; a folder without one gets the defaults. Never throws. */
export async function readSettings(name: string, folder: string, overrideJson?: string): Promise<SettingsResult> {
  if (overrideJson !== undefined) return attempt('parameter "config"', () => settingsFromJson(name, overrideJson));
  for (const file of settingsFiles) {
    let bytes: Buffer;
    try {
      bytes = await readFile(join(folder, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      return { ok: false, problems: [`${file}: cannot be read: ${describeError(error)}`] };
    }
    if (bytes.length > maxSettingsBytes)
      return { ok: false, problems: [`${file}: expected at most ${maxSettingsBytes} bytes, got ${bytes.length}`] };
    const text = bytes.toString('utf8');
    return attempt(file, () =>
      file === 'model.yaml'
        ? settingsFromYaml(name, text, file)
        : settingsFromModelConfig(name, parseTextFormat(text, modelConfigRoot()), file),
    );
  }
  return { ok: true, settings: defaultSettings(name) };
}

function settingsFromJson(name: string, json: string): SettingsResult {
  return settingsFromModelConfig(name, parseMessageJson(json, modelConfigRoot()), 'parameter "config"');
}

function attempt(file: string, read: () => SettingsResult): SettingsResult {
  try {
    return read();
  } catch (error) {
    return { ok: false, problems: [`${file}: ${describeError(error)}`] };
  }
}
