import { get } from 'node:http';
import type { Probe } from './liveness-watch.js';

/**
 * One GET on a connection of its own. Whatever comes back is a sign of life, errors included: a stopped process or a stuck
 * event loop is silent, because the kernel accepts the connection for it and nobody reads the request. A connection that
 * is refused or reset is the doing of a process that drains (its port is closed already) or has too many connections,
 * or of this machine (no free port or descriptor); killing the process would be wrong in each case.
 */
export const httpProbe: Probe = (url, onAnswer) => {
  let open = true;
  const answered = (): void => {
    if (!open) return;
    open = false;
    request.destroy();
    onAnswer();
  };
  // No agent: a kept-alive connection would tell of its own past.
  const request = get(url, { agent: false }, answered);
  // Stays attached: destroying a request may make it fail.
  request.on('error', answered);
  return {
    abandon: () => {
      open = false;
      request.destroy();
    },
  };
};
