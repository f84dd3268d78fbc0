export interface ServeOptions {
  transport?: 'stdio' | 'http';
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  workerSecret?: string;
  /** Takes only tokens that are good for one request, once; stock gateways do not sign such. */
  strict?: boolean;
  /** Read instead of the process's own environment. */
  env?: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  transport: 'stdio' | 'http';
  host: string;
  port: number;
  /** Null: the worker routes are not served. */
  worker: { auth: 'jwt'; secret: string; strict: boolean } | { auth: 'off' } | null;
  /** Whom local MCP calls over stdio are for. */
  userId: string | null;
  env: Environment;
}

/** What the code asks for, overridden by the environment. The SALLYPORT_ form of a name wins over the ARCADE_ form. */
export function resolveSettings(options: ServeOptions): Settings {
  const env = options.env ?? process.env;
  const host = read(env, 'SERVER_HOST')?.value ?? options.host ?? '127.0.0.1';
  return {
    transport: transportFrom(env) ?? options.transport ?? 'stdio',
    host,
    port: portFrom(env) ?? options.port ?? 8000,
    worker: workerFrom(env, host, options),
    userId: read(env, 'USER_ID')?.value ?? null,
    env,
  };
}

/** Whether only this machine can connect to the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function read(env: Environment, name: string): { name: string; value: string } | null {
  for (const prefix of ['SALLYPORT_', 'ARCADE_']) {
    const value = env[prefix + name];
    if (value !== undefined && value !== '') return { name: prefix + name, value };
  }
  return null;
}

function transportFrom(env: Environment): Settings['transport'] | null {
  const found = read(env, 'SERVER_TRANSPORT');
  if (found === null || found.value === 'stdio' || found.value === 'http')
    return (found?.value as never) ?? null;
  throw new Error(`${found.name} must be stdio or http, not "${found.value}"`);
}

function portFrom(env: Environment): number | null {
  const found = read(env, 'SERVER_PORT');
  if (found === null) return null;
  if (/^\d{1,5}$/.test(found.value) && Number(found.value) <= 65_535) return Number(found.value);
  throw new Error(`${found.name} must be a port from 0 to 65535, not "${found.value}"`);
}

function flagFrom(env: Environment, name: string): { name: string; on: boolean } | null {
  const found = read(env, name);
  if (found === null) return null;
  if (['true', '1'].includes(found.value)) return { name: found.name, on: true };
  if (['false', '0'].includes(found.value)) return { name: found.name, on: false };
  throw new Error(`${found.name} must be true or false, not "${found.value}"`);
}

function workerFrom(env: Environment, host: string, options: ServeOptions): Settings['worker'] {
  const off = flagFrom(env, 'AUTH_DISABLED');
  const strict = flagFrom(env, 'WORKER_STRICT')?.on ?? options.strict ?? false;
  if (off?.on === true) {
    if (strict) throw new Error(`${off.name} contradicts strict mode: anybody could call the tools`);
    if (isLoopback(host)) return { auth: 'off' };
    throw new Error(`${off.name} is only for a loopback host, not "${host}": anybody could call the tools`);
  }
  const secret = read(env, 'WORKER_SECRET')?.value ?? options.workerSecret;
  if (secret !== undefined && secret !== '') return { auth: 'jwt', secret, strict };
  if (strict) throw new Error('strict mode needs a worker secret (SALLYPORT_WORKER_SECRET)');
  return null;
}
