import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEgress } from '#egress';
import { systemClock } from '#foundation';
import { createIdentity, type Identity } from '#identity';
import { type Changes, openChanges, openDatabase } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { createDatabase, temporaryDirectory } from './database.ts';
import { freePort } from './free-port.ts';
import { startProcess, type TestProcess } from './start-process.ts';

/** Two replicas, each a process, before one database on the server; and, in this process, identity on the same database. */
export interface Replicas {
  readonly replicas: readonly TestProcess[];
  readonly identity: Identity;
  readonly changes: Changes;
  close(): Promise<void>;
}

/** Each listens on a port of its own, and both say that they are `issuer`. */
export async function startReplicas(server: string, issuer: string, config: string): Promise<Replicas> {
  const database = await createDatabase(server);
  const replicas: TestProcess[] = [];
  const directories: string[] = [];
  for (let n = 0; n < 2; n++) {
    const directory = temporaryDirectory();
    directories.push(directory);
    writeFileSync(join(directory, 'sallyport.yaml'), config);
    const port = String(await freePort());
    const env = { DATABASE_URL: database.url, SALLYPORT_PUBLIC_URL: issuer, SALLYPORT_PORT: port };
    replicas.push({ ...(await startProcess(env, directory)), url: `http://127.0.0.1:${port}` });
  }
  const deps = { clock: systemClock, log: silentLog };
  const egress = createEgress({ allow: [] });
  const db = await openDatabase({ url: database.url }, deps);
  const changes = await openChanges(db, deps);
  const identity = await createIdentity({
    exchangesTokens: () => false,
    db,
    changes,
    vault: await openVault({ db, ...deps }),
    egress,
    ...deps,
    issuer: () => issuer,
  });
  changes.listen();
  return {
    replicas,
    identity,
    changes,
    async close() {
      for (const { child } of replicas) child.kill('SIGKILL');
      changes.close();
      egress.close();
      await db.close();
      await database.drop();
      for (const directory of directories) rmSync(directory, { recursive: true, force: true });
    },
  };
}
