import { silentLog } from '#telemetry';
import { openEmbedded, openOnServer } from '../../test/database.ts';
import { describeDb } from './contract-suite.ts';

describeDb('PGlite', () => openEmbedded({ log: silentLog }));

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
if (server !== undefined) describeDb('PostgreSQL', () => openOnServer(server, { log: silentLog }));
