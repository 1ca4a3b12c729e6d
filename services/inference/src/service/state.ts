import type { ModelHost } from '../repository/model-host.js';
import type { RepositoryControl } from '../repository/control.js';

/** What the methods of the service lean on. */
export interface ServiceParts {
  readonly host: ModelHost;
  readonly control: RepositoryControl;
  readonly serverVersion: string;
  /** All models of the start were tried and the server does not drain. */
  readonly ready: () => boolean;
}
