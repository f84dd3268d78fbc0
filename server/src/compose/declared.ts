import type { Catalog } from '#catalog';
import type { ConfigFile } from '#config';
import { type Gateway, newGatewayFromRequest, newSourceFromRequest, type Source } from '#domain';
import type { Sources } from '#sources';

/** The one project of this version. */
export const projectId = 'default';

/** What a file declares has no date of its own. */
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };
const fromFile = { origin: 'file', ...undated } as const;

/** Makes the file's resources exactly these, and the bundled demo worker, where there is one, another of them. */
export async function applyDeclared(
  file: ConfigFile,
  demo: Source | null,
  { sources, catalog }: { sources: Sources; catalog: Catalog },
): Promise<void> {
  const workers = file.workers.map(
    ({ request }): Source => ({ ...newSourceFromRequest(request, { projectId }), ...fromFile }),
  );
  const gateways = file.gateways.map(
    ({ id, request }): Gateway => ({ ...newGatewayFromRequest(request, { projectId }), ...fromFile, id }),
  );
  await sources.applyFile(demo === null ? workers : [...workers, demo]);
  catalog.applyFile(gateways);
}
