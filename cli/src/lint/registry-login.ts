import { join } from 'node:path';
import { z } from 'zod';
import { readText } from '../files/read-text.ts';
import { parsedJson } from '../files/values.ts';
import type { Io } from '../output/io.ts';

const config = z.object({
  auths: z.record(z.string(), z.object({ auth: z.base64().optional() })).optional(),
});

/** The header that `docker login` keeps for this registry, and for no other; `null` where it keeps none, or elsewhere. */
export async function keptLogin({ env }: Pick<Io, 'env'>, registry: string): Promise<string | null> {
  const folder = env.DOCKER_CONFIG ?? (env.HOME === undefined ? null : join(env.HOME, '.docker'));
  const text = folder === null ? null : await readText(join(folder, 'config.json')).catch(() => null);
  const known = Object.entries(config.safeParse(parsedJson(text ?? '')).data?.auths ?? {});
  const wanted = registry === 'docker.io' ? 'index.docker.io' : registry;
  // Docker's own key is https://index.docker.io/v1/, others are plain hosts.
  const found = known.find(([key]) => key.replace(/^https?:\/\//, '').split('/')[0] === wanted);
  const auth = found?.[1].auth ?? '';
  return auth === '' ? null : `Basic ${auth}`;
}
