import type { Settings } from '#config';
import type { Clock } from '#foundation';
import { createSources, type Sources } from '#sources';
import type { Log, Metrics } from '#telemetry';
import type { Among } from './among.ts';
import { pinningOf } from './pinning.ts';
import { sourceKinds } from './registries.ts';
import type { Rooms } from './rooms.ts';

type Needs = Pick<Rooms, 'db' | 'changes' | 'vault' | 'egress' | 'audit' | 'catalog' | 'credentials'> & {
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly among: Pick<Among, 'isOffice' | 'onHurry'>;
};

/** Where tools live: what they say is kept in the catalog, what they carry comes from the credentials. */
export async function openSources({ processEnv }: Settings, needs: Needs): Promise<Sources> {
  const { db, changes, vault, egress, clock, log, metrics, audit, catalog, credentials, issuer, among } =
    needs;
  const sources = await createSources({
    kinds: sourceKinds,
    processEnv,
    issuer,
    listToken: credentials.listToken,
    secretOf: credentials.secrets.open,
    db,
    changes,
    vault,
    egress,
    clock,
    log,
    metrics,
    watches: among.isOffice,
    onHurry: among.onHurry,
    listed: ({ projectId, id }) => catalog.listed(projectId, id),
    onListed: (source, offer) =>
      catalog.replaceOffer(source.projectId, source.id, offer, pinningOf(source, { audit, log })),
    onPresence: catalog.sourcesChanged,
    onUnavailable: (source) => catalog.markUnavailable(source.projectId, source.id),
    async onRemoved({ projectId, id }) {
      await catalog.forget(projectId, id);
      await credentials.forgetSource(projectId, id);
    },
  });
  catalog.onOverruled(sources.sayAgain);
  credentials.secrets.onChange(sources.secretsChanged);
  return sources;
}
