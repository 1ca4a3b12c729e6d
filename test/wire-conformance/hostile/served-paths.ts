export const servedPaths = {
  echo: '/test.Hostile/Echo',
  /** Never answers. */
  hold: '/test.Hostile/Hold',
  /** Answers with `largeBytes`. */
  large: '/test.Hostile/Large',
} as const;

export const largeBytes = 256 * 1024;
