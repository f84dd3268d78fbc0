import { type Era, startEraServer } from './era-server.ts';

/** `node serve-era.ts legacy|modern`: an MCP server that speaks one generation of the protocol only. */
const { uri } = await startEraServer(process.argv[2] as Era);
console.log(`listens on ${uri}`);
