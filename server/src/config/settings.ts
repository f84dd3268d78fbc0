import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Result } from '#foundation';
import { err, ok } from '#foundation';
import { egressEntryForm, isEgressEntry } from './egress-entry.ts';
import { type OtelSettings, readOtelSettings } from './otel.ts';
import { rootKeyBytes, rootKeyForm } from './root-keys.ts';

export const roles = ['gateway', 'hub', 'actions', 'inference', 'admin', 'jobs'] as const;
export type Role = (typeof roles)[number];

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

/** What the environment says. `databaseUrl`, `redisUrl`, `adminKey`, `rootKey` and `metricsToken` are secrets: never log a `Settings` as a whole. */
export interface Settings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** An origin without a slash at its end; `null`: derived from the address. */
  readonly publicUrl: string | null;
  /** Absolute. */
  readonly dataDir: string;
  /** `null`: the embedded database. */
  readonly databaseUrl: string | null;
  /** `null`: limits are counted in this process. */
  readonly redisUrl: string | null;
  /** Absolute; `null` when `SALLYPORT_CONFIG` is not set and there is no `sallyport.yaml`. */
  readonly configPath: string | null;
  readonly adminKey: string | null;
  /** 32 bytes; `null`: the config file names the root keys, or there is one of our own. */
  readonly rootKey: Buffer | null;
  readonly roles: ReadonlySet<Role>;
  readonly demo: boolean;
  /** How many processes serve: this one, and its lanes. */
  readonly processes: number;
  readonly egressAllow: readonly string[];
  readonly logLevel: LogLevel;
  /** `null`: `pretty` where a person watches. */
  readonly logFormat: LogFormat | null;
  /** `null`: the config file decides. */
  readonly auditDurability: 'relaxed' | 'strict' | null;
  /** What who reads `/metrics` must bring; `null`: nothing. */
  readonly metricsToken: string | null;
  /** What is sent to OpenTelemetry collectors; `null`: nothing. Holds secrets. */
  readonly otel: OtelSettings | null;
  /** What of our environment a process that we start gets; whatever else is there is ours alone. */
  readonly processEnv: Readonly<Record<string, string>>;
}

const handedOn = ['PATH', 'HOME', 'LANG', 'TMPDIR'];

/**
 * Reads the settings; an empty variable counts as not set. Every mistake names its variable and what was expected,
 * and none repeats the value.
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  workingDirectory: string = process.cwd(),
): Result<Settings, string[]> {
  const mistakes: string[] = [];
  const read = <T>(
    name: string,
    fallback: T,
    parse: (text: string) => T | undefined,
    expected: string,
  ): T => {
    const text = env[name]?.trim() ?? '';
    if (text === '') return fallback;
    const value = parse(text);
    if (value === undefined) mistakes.push(`${name}: expected ${expected}`);
    return value ?? fallback;
  };
  const path = (text: string) => (text.includes('\0') ? undefined : resolve(workingDirectory, text));
  const defaultConfig = resolve(workingDirectory, 'sallyport.yaml');

  const settings: Settings = {
    host: read('SALLYPORT_HOST', '127.0.0.1', parseHost, 'a host name or IP address without port'),
    port: read('SALLYPORT_PORT', 9099, parsePort, 'a port number from 0 to 65535'),
    publicUrl: read('SALLYPORT_PUBLIC_URL', null, parseOrigin, 'an origin such as https://mcp.example.com'),
    dataDir: read('SALLYPORT_DATA_DIR', resolve(workingDirectory, '.sallyport'), path, 'a path'),
    databaseUrl: read('DATABASE_URL', null, parseDatabaseUrl, 'a URL such as postgres://user@host:5432/name'),
    redisUrl: read('SALLYPORT_REDIS_URL', null, parseRedisUrl, 'a URL such as redis://user@host:6379/0'),
    configPath: read('SALLYPORT_CONFIG', existsSync(defaultConfig) ? defaultConfig : null, path, 'a path'),
    adminKey: read('SALLYPORT_ADMIN_KEY', null, parseKey, 'at least 16 printable characters without spaces'),
    rootKey: read('SALLYPORT_ROOT_KEY', null, parseRootKey, rootKeyForm),
    roles: read('SALLYPORT_ROLES', new Set(roles), parseRoles, `a list of ${roles.join(', ')}`),
    processes: read(
      'SALLYPORT_PROCESSES',
      ownProcesses(),
      parseProcesses,
      `a number from 1 to ${maxProcesses}`,
    ),
    demo: read('SALLYPORT_DEMO', 'on', oneOf(['on', 'off']), 'on or off') === 'on',
    egressAllow: read('SALLYPORT_EGRESS_ALLOW', [], parseEgress, `a list, each ${egressEntryForm}`),
    logLevel: read<LogLevel>(
      'SALLYPORT_LOG_LEVEL',
      'info',
      oneOf(logLevels),
      `one of ${logLevels.join(', ')}`,
    ),
    logFormat: read('SALLYPORT_LOG_FORMAT', null, oneOf(logFormats), 'json or pretty'),
    auditDurability: read(
      'SALLYPORT_AUDIT_DURABILITY',
      null,
      oneOf(['relaxed', 'strict']),
      'relaxed or strict',
    ),
    metricsToken: read(
      'SALLYPORT_METRICS_TOKEN',
      null,
      parseKey,
      'at least 16 printable characters without spaces',
    ),
    otel: readOtelSettings(env, workingDirectory, mistakes),
    processEnv: Object.fromEntries(
      handedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
    ),
  };
  return mistakes.length === 0 ? ok(settings) : err(mistakes);
}

function parseHost(text: string): string | undefined {
  const oneColon = text.indexOf(':') !== -1 && text.indexOf(':') === text.lastIndexOf(':');
  return /^[A-Za-z0-9.:_%-]{1,253}$/.test(text) && !oneColon ? text : undefined;
}

function parsePort(text: string): number | undefined {
  // Kubernetes sets SALLYPORT_PORT=tcp://… in every pod beside a Service called "sallyport"; that is not meant for us.
  if (/^tcp:\/\/[\d.:[\]a-f]+$/.test(text)) return 9099;
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

const maxProcesses = 64;

/** One for each core that we may use. */
function ownProcesses(): number {
  return Math.min(availableParallelism(), maxProcesses);
}

function parseProcesses(text: string): number | undefined {
  const count = Number(text);
  return /^\d{1,2}$/.test(text) && count >= 1 && count <= maxProcesses ? count : undefined;
}

function parseOrigin(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const bare = url.username === '' && url.password === '' && url.pathname === '/' && !/[?#]/.test(text);
  return bare ? url.origin : undefined;
}

function parseDatabaseUrl(text: string): string | undefined {
  return /^postgres(ql)?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

function parseRedisUrl(text: string): string | undefined {
  if (/^unix:\/\/([^/?#]*@)?\/[^?#]+(\?db=\d+)?$/i.test(text)) return text;
  if (!/^rediss?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { hostname, pathname } = new URL(text);
  return hostname !== '' && /^(\/\d*)?$/.test(pathname) ? text : undefined;
}

function parseKey(text: string): string | undefined {
  return /^[\x21-\x7e]{16,512}$/.test(text) ? text : undefined;
}

function parseRootKey(text: string): Buffer | undefined {
  return rootKeyBytes(text) ?? undefined;
}

function parseRoles(text: string): Set<Role> | undefined {
  const named = list(text);
  const known = roles.filter((role) => named.includes(role));
  return named.length > 0 && named.every((name) => roles.some((role) => role === name))
    ? new Set(known)
    : undefined;
}

function parseEgress(text: string): readonly string[] | undefined {
  const entries = list(text);
  return entries.every(isEgressEntry) ? entries : undefined;
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function oneOf<const T extends string>(values: readonly T[]): (text: string) => T | undefined {
  return (text) => values.find((value) => value === text.toLowerCase());
}
