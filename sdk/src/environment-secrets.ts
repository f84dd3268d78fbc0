import type { Environment } from './settings.ts';

const neverOffered = [
  'ARCADE_WORKER_SECRET',
  'SALLYPORT_WORKER_SECRET',
  'ARCADE_API_KEY',
  'SALLYPORT_API_KEY',
];

/** Tool secrets of a server that runs without a gateway: the environment, less the server's own settings. */
export function environmentSecrets(env: Environment): (key: string) => string | undefined {
  return (key) =>
    key.startsWith('MCP_') || key.startsWith('_') || neverOffered.includes(key) ? undefined : env[key];
}
