/** A batch is staged when the running one has at most this share of the next one's time to go (or the round trip). */
export const handOverShare = 0.2;
