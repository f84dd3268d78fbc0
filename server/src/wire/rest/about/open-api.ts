import { errorResponse } from '@sallyport/contracts';
import { z } from 'zod';
import type { Route } from '../route.ts';

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ content: { 'application/json': { schema } } });

/** The OpenAPI document of the routes that are served, made of the schemas that requests are checked against. */
export function openApiDocument(version: string, routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `/v1${route.path}`;
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(route);
  }
  for (const name of ['health', 'config', 'swagger']) {
    paths[`/v1/${name}`] = {
      get: {
        operationId: `${name}.get`,
        tags: [name],
        security: [],
        responses: { 200: answer('It is so.') },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport',
      version,
      description: 'Every path but those of /v1/orgs is also served below /v1/orgs/{org}/projects/{project}.',
    },
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'An API key, with or without "Bearer", or "Bearer" and an access token.',
        },
      },
      schemas: { Error: schemaOf(errorResponse) },
    },
  };
}

function operation(route: Route): Record<string, unknown> {
  const [tag] = route.operation.split('.');
  return {
    operationId: route.operation,
    summary: route.summary,
    description: `Needs the permission "${route.needs}": by the scopes of an API key, or by a role.`,
    tags: [tag],
    ...parameters(route),
    ...(route.body === undefined ? {} : { requestBody: { required: true, ...json(schemaOf(route.body)) } }),
    responses: {
      [route.success]: route.success === 204 ? { description: 'Done.' } : answer('Done.'),
      default: { description: 'Refused.', ...json(ref('Error')) },
    },
  };
}

function parameters(route: Route): { parameters?: unknown[] } {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { properties = {}, required = [] } = route.query === undefined ? {} : schemaOf(route.query);
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    schema,
  }));
  const all = [...inPath, ...inQuery];
  return all.length === 0 ? {} : { parameters: all };
}

function answer(description: string): object {
  return { description, ...json({ type: 'object' }) };
}

function schemaOf(schema: z.ZodType): {
  readonly properties?: Record<string, unknown>;
  readonly required?: readonly string[];
} {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
