import { maxPageLimit } from '@sallyport/contracts';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { parsedJson } from '../files/values.ts';
import type { Io } from '../output/io.ts';
import { send } from './send.ts';
import { refusedBy } from './server-refusal.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Asked<T> {
  /** What is read of the answer; what it has beside that does not matter. */
  readonly answer: z.ZodType<T>;
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** The REST API of one Sallyport, as whoever is signed in. */
export interface Api {
  /** `path` below `/v1`. */
  ask<T>(method: 'GET' | 'POST' | 'PATCH' | 'PUT', path: string, asked: Asked<T>): Promise<T>;
  delete(path: string): Promise<void>;
  /** The items of all pages, up to `most`; and how many there are. */
  all<T>(path: string, item: z.ZodType<T>, options?: AllOptions): Promise<{ items: T[]; total: number }>;
}

export interface AllOptions {
  readonly query?: Query;
  readonly most?: number;
}

const timeoutMs = 30_000;

export function createApi(
  io: Pick<Io, 'fetch' | 'signal'>,
  url: string,
  authorization: () => Promise<string>,
  project: string | null = null,
): Api {
  const base = `${url}/v1${project === null ? '' : projectPath(project)}`;

  async function answerOf(method: string, path: string, asked: Omit<Asked<unknown>, 'answer'>) {
    const target = new URL(`${base}${path}`);
    for (const [name, value] of Object.entries(asked.query ?? {})) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const incoming = await send(io, {
      method,
      url: target.href,
      headers: {
        authorization: await authorization(),
        ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...asked.headers,
      },
      timeoutMs: asked.timeoutMs ?? timeoutMs,
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    });
    if (incoming.status >= 200 && incoming.status < 300) return incoming.text;
    throw refusedBy(target.origin, incoming);
  }

  const ask: Api['ask'] = async (method, path, { answer, ...asked }) => {
    const told = answer.safeParse(parsedJson(await answerOf(method, path, asked)));
    if (told.success) return told.data;
    throw new CommandError(
      'remote.answer_invalid',
      `${new URL(url).origin} answered ${method} /v1${path} otherwise than a Sallyport does`,
      told.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  };

  return {
    ask,
    async delete(path) {
      await answerOf('DELETE', path, {});
    },
    async all(path, item, { query = {}, most = Number.POSITIVE_INFINITY } = {}) {
      const page = z.object({ items: z.array(item), page_count: z.number(), total_count: z.number() });
      const items: z.infer<typeof item>[] = [];
      for (;;) {
        const limit = Math.min(maxPageLimit, most - items.length);
        const got = await ask('GET', path, {
          answer: page,
          query: { ...query, limit, offset: items.length },
        });
        items.push(...got.items);
        if (items.length >= Math.min(most, got.total_count) || got.page_count === 0) {
          return { items, total: got.total_count };
        }
      }
    },
  };
}

/** `<organization>/<project>`, as a path. */
function projectPath(project: string): string {
  const [organization, id, ...more] = project.split('/');
  if (!organization || !id || more.length > 0 || !/^[\w./-]+$/.test(project)) {
    throw new CommandError(
      'remote.project_invalid',
      `"${project}" names no project: it must be <organization>/<project>, such as default/default`,
    );
  }
  return `/orgs/${organization}/projects/${id}`;
}
