/** What identity needs of the world outside; declared here, implemented at the rim. */
export interface IdentityIo {
  /**
   * Tells the file's text before it resolves and again at each change. A file that cannot be read is a problem, not a
   * rejection: it may come yet.
   */
  watchFile(
    file: string,
    listener: { readonly onText: (text: string) => void; readonly onProblem: (problem: string) => void },
  ): Promise<{ close(): Promise<void> }>;
  /** Rejects with what people should read; bounded in time and size. */
  fetchText(uri: string): Promise<string>;
}
