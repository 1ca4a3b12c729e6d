import type { VersionPolicy } from '../config/settings.js';

/** Which of the versions on disk are to be served, ascending; `missing` are asked for by name and not there. */
export function chooseVersions(
  policy: VersionPolicy,
  available: readonly number[],
): { readonly chosen: readonly number[]; readonly missing: readonly number[] } {
  const ascending = [...available].sort((a, b) => a - b);
  switch (policy.kind) {
    case 'all':
      return { chosen: ascending, missing: [] };
    case 'latest':
      return { chosen: ascending.slice(-policy.count), missing: [] };
    case 'specific':
      return {
        chosen: ascending.filter((version) => policy.versions.includes(version)),
        missing: policy.versions.filter((version) => !ascending.includes(version)),
      };
  }
}

/** Folder names that are versions: whole numbers from 1, written plainly ("1", not "01" or "v1"). */
export function versionNumber(folder: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(folder) ? Number(folder) : undefined;
}
