/**
 * Field names whose values are never written, at the top of a line and one level down (`{ metadata: { authorization } }`).
 * A last line of defence: nobody should hand a secret to the logger in the first place.
 */
const secretNames = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'password',
  'passphrase',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'api-key',
  'x-api-key',
  'privateKey',
  'clientSecret',
];

const quoted = (name: string): string => (/^[a-zA-Z]+$/.test(name) ? name : `["${name}"]`);

export const secretPaths: string[] = secretNames.flatMap((name) => {
  const step = quoted(name);
  return [step, step.startsWith('[') ? `*${step}` : `*.${step}`];
});
