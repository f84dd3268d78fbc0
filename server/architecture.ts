/** A room of the server: what it is, and the rooms it may import. */
export interface Room {
  readonly is: string;
  readonly mayImport: readonly string[];
}

const ground = ['foundation', 'domain', 'storage', 'egress', 'telemetry', 'vault'];

/**
 * The map. `server/test/architecture.test.ts` holds every import to it; adding an arrow is a visible decision, with
 * its reason in the commit.
 */
export const rooms: Readonly<Record<string, Room>> = {
  foundation: { is: 'results, faults, clock, ids, bytes of JSON', mayImport: [] },
  domain: { is: 'the words of the platform: types and pure functions', mayImport: ['foundation'] },
  config: {
    is: 'the environment and the config file, read once and checked',
    mayImport: ['foundation', 'domain'],
  },
  // What is sent to a collector goes out like everything else.
  telemetry: { is: 'logs, metrics, traces', mayImport: ['foundation', 'egress'] },
  egress: { is: 'the only way out: address policy, connections, time-outs, caps', mayImport: ['foundation'] },
  storage: {
    is: 'the database: connections, transactions, migrations',
    mayImport: ['foundation', 'telemetry'],
  },
  vault: {
    is: 'seals what is kept and nobody may read; the only room with root keys',
    mayImport: ['foundation', 'storage', 'egress', 'telemetry'],
  },

  catalog: { is: 'which tools there are, and which of them a gateway shows', mayImport: ground },
  sources: { is: 'where tools live: list them, call them, say what is wrong', mayImport: ground },
  identity: { is: 'who is calling, as whom, and with which role', mayImport: ground },
  policy: { is: 'who may call what; what content may pass', mayImport: ground },
  credentials: { is: 'act as the user in other systems', mayImport: ground },
  audit: { is: 'what happened: the journal and the log book', mayImport: ground },

  pipeline: {
    is: 'one tool call, in order; listing by the same decision',
    mayImport: [
      'foundation',
      'domain',
      'telemetry',
      'identity',
      'catalog',
      'policy',
      'credentials',
      'sources',
      'audit',
    ],
  },
  hub: {
    is: 'a catalogue of any size behind six tools: found by meaning, run durably',
    mayImport: [...ground, 'catalog', 'pipeline', 'policy', 'credentials', 'sources', 'audit'],
  },
  wire: {
    is: 'fronts: speak a protocol, decide nothing',
    mayImport: [
      'foundation',
      'domain',
      'telemetry',
      'pipeline',
      'identity',
      'catalog',
      'sources',
      'audit',
      'storage',
      // Grants, rules, limits and hooks are administered through the API.
      'policy',
      // The authorization server fetches what clients publish of themselves.
      'egress',
      // People are sent to the issuers of what they connect, and come back.
      'credentials',
      'hub',
    ],
  },
  processes: {
    is: 'the office and its lanes: started, kept, and what they say to one another',
    mayImport: ['foundation', 'storage', 'telemetry'],
  },
  compose: {
    is: 'builds every room and joins them; the only place that picks implementations',
    mayImport: ['*'],
  },
};

/**
 * Doors in the walls to the outside world: only these files may import these modules.
 * The keys are module names or prefixes; the values are paths below `server/src`, or their beginnings.
 */
export const gates: Readonly<Record<string, { readonly only: readonly string[]; readonly why: string }>> = {
  // The lock of the data directory is a listening socket: it never leaves the machine. The fast path answers on sockets that
  // were accepted, and opens none.
  'node:net': {
    only: ['egress/', 'storage/lock.ts', 'wire/http/fast/', 'processes/'],
    why: 'every byte out passes the egress policy',
  },
  'node:tls': { only: ['egress/'], why: 'every byte out passes the egress policy' },
  'node:dns': { only: ['egress/'], why: 'an address is resolved where it is checked' },
  'node:https': { only: [], why: 'egress has its own client' },
  'node:http': { only: ['wire/'], why: 'requests are read, and answered, by fronts' },
  'node:child_process': {
    only: ['sources/mcp/transports/stdio-process.ts', 'compose/demo.ts', 'processes/'],
    why: 'what we start is bounded, gets nothing of our environment unless it is this very program, and ends with us',
  },
  pg: { only: ['storage/'], why: 'rooms speak SQL through storage' },
  '@electric-sql/pglite': { only: ['storage/'], why: 'rooms speak SQL through storage' },
  '@redis/client': { only: ['storage/'], why: 'who shares counts does without Redis while it is gone' },
  hono: { only: ['wire/'], why: 'the framework stays at the edge' },
  '@hono/node-server': { only: ['wire/'], why: 'the framework stays at the edge' },
  pino: { only: ['telemetry/'], why: 'one logger' },
  'pino-pretty': { only: ['telemetry/process-log.ts'], why: 'loaded only where a person watches' },
  '@opentelemetry': {
    only: ['telemetry/'],
    why: 'rooms know spans and metrics of ours, and start without it',
  },
  jose: { only: ['identity/'], why: 'signed tokens are checked in one room' },
  'json-p3': {
    only: ['credentials/oauth2/'],
    why: 'paths into answers of providers are read, and held to what one walk can do, in one place',
  },
  aws4fetch: { only: ['vault/services/'], why: 'root keys are used in one room' },
  'openid-client': { only: ['identity/user-sources/'], why: 'issuers are spoken to in one place' },
  'oidc-provider': {
    only: ['wire/oauth/'],
    why: 'the authorization server is a front; what it keeps is ours',
  },
  '@modelcontextprotocol/client': {
    only: ['credentials/'],
    why: 'of the official client we use how it gets authorized, and nothing else',
  },
  porter2: { only: ['hub/search/'], why: 'words are made comparable in one place' },
  yaml: { only: ['config/'], why: 'files are read and checked in one place' },
};
