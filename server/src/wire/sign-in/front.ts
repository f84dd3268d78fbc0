import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Clock, Sealer } from '#foundation';
import type { Identity } from '#identity';
import type { Log } from '#telemetry';
import type { Authorizations } from '../oauth/contract.ts';
import type { Attempts } from './attempts.ts';
import type { Cookies } from './cookies.ts';
import type { FormGuard } from './form-guard.ts';
import type { Onward } from './onward.ts';
import type { Problems } from './problems.ts';

/** What the pages work with. */
export interface SignInDeps {
  readonly identity: Pick<Identity, 'people' | 'userSources' | 'signIns' | 'consents' | 'accessTokens'>;
  readonly authorizations: Authorizations;
  readonly catalog: Pick<Catalog, 'gateways'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
}

/** The same, and what the routes share. */
export interface PageDeps extends SignInDeps {
  readonly attempts: Attempts;
  readonly cookies: Cookies;
  readonly forms: FormGuard;
  readonly onward: Onward;
  readonly problems: Problems;
}
