export interface ServeOptions {
  transport?: 'stdio' | 'http';
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  workerSecret?: string;
  /** Read instead of the process's own environment. */
  env?: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  transport: 'stdio' | 'http';
  host: string;
  port: number;
  /** Null: the worker routes are not served. */
  worker: { auth: 'jwt'; secret: string } | { auth: 'off' } | null;
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
    worker: workerFrom(env, host, options.workerSecret),
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

function workerFrom(env: Environment, host: string, secretInCode: string | undefined): Settings['worker'] {
  const off = read(env, 'AUTH_DISABLED');
  if (off !== null && !['true', 'false', '1', '0'].includes(off.value)) {
    throw new Error(`${off.name} must be true or false, not "${off.value}"`);
  }
  if (off?.value === 'true' || off?.value === '1') {
    if (isLoopback(host)) return { auth: 'off' };
    throw new Error(`${off.name} is only for a loopback host, not "${host}": anybody could call the tools`);
  }
  const secret = read(env, 'WORKER_SECRET')?.value ?? secretInCode;
  return secret === undefined || secret === '' ? null : { auth: 'jwt', secret };
}
