import type { HeaderFields } from '../hpack/index.js';
import type { Stream } from './stream.js';

/** What a connection is used for: the server's side makes streams from requests, the client's side its calls. */
export interface ConnectionHost {
  /**
   * A request came (server). The stream with its id set, or undefined where it has been dealt with: refused or answered.
   * `tooLarge`: its header list was over the limit, and `fields` is not all of it.
   */
  open(id: number, fields: HeaderFields, endStream: boolean, tooLarge: boolean): Stream | undefined;
  /** The peer's first SETTINGS have come: it speaks HTTP/2. */
  onReady(): void;
  /** MAX_CONCURRENT_STREAMS may have changed, or a stream has ended: there may be room for another (client). */
  onRoom(): void;
  /** No new streams: the peer leaves. */
  onGoaway(code: number, message: string): void;
  /** Once, last. All streams have been told. `clean`: an orderly end. `defect`: what was thrown where nothing should be, for the log. */
  onClosed(message: string, clean: boolean, defect: unknown): void;
}
