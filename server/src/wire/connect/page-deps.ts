import type { Catalog } from '#catalog';
import type { Credentials } from '#credentials';
import type { Clock, Sealer } from '#foundation';
import type { Identity } from '#identity';
import type { Log } from '#telemetry';
import type { AttemptLimit } from '../sign-in/attempt-limit.ts';
import type { Cookies } from '../sign-in/cookies.ts';
import type { FormGuard } from '../sign-in/form-guard.ts';
import type { Onward } from '../sign-in/onward.ts';

export interface ConnectDeps {
  readonly credentials: Pick<Credentials, 'consents' | 'connections' | 'providers'>;
  readonly identity: Pick<Identity, 'signIns' | 'userSources' | 'people'>;
  readonly catalog: Pick<Catalog, 'tools' | 'gateways'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
}

/** The same, and what the routes share. */
export interface PageDeps extends ConnectDeps {
  readonly cookies: Cookies;
  readonly forms: FormGuard;
  readonly onward: Onward;
  /** How often what was entered for a consent was refused. */
  readonly refused: AttemptLimit;
}
