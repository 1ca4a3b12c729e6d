/** UTF-16 units; also bounds what hostile names can fill. */
export const maxTenantNameLength = 256;

/**
 * Why a text cannot be a tenant's name, or undefined. Names are compared as they are: no case folding, no Unicode
 * normalisation, so that two spellings are two tenants and never one by accident. Control characters and line
 * separators would forge lines of logs; lone surrogates all become U+FFFD in UTF-8, and so one tenant.
 */
export function tenantNameProblem(name: string): string | undefined {
  if (name === '') return 'expected a name, got nothing';
  if (name.length > maxTenantNameLength) return `expected at most ${maxTenantNameLength} characters, got ${name.length}`;
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name) ? 'expected no control characters, line separators or lone surrogates' : undefined;
}
