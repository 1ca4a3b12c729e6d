/** Clients that wait for an answer before they send again come back within this, on a machine or in a rack. */
export const burstWindowMs = 1;
