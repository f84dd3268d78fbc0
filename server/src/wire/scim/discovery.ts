import {
  enterpriseUserSchema,
  groupSchema,
  type ScimSchema,
  scimUrns,
  userSchema,
} from '@sallyport/contracts';
import { ok } from '#foundation';
import { listAnswer, maxCount, there } from './requests.ts';
import type { ScimRequest, ScimRoute } from './route.ts';

/** What a directory can ask about this service itself (RFC 7644 §4). */
export function discoveryRoutes(): readonly ScimRoute[] {
  return [
    {
      operation: 'scim.config.get',
      method: 'GET',
      path: '/ServiceProviderConfig',
      run: ({ base }) => ok({ status: 200, body: serviceProviderConfig(base) }),
    },
    ...listed('resource_types', '/ResourceTypes', 'resource type', resourceTypes),
    ...listed('schemas', '/Schemas', 'schema', schemas),
  ];
}

type Described = { readonly id: string };

function listed(
  name: string,
  path: string,
  what: string,
  all: (base: string) => readonly Described[],
): readonly ScimRoute[] {
  return [
    {
      operation: `scim.${name}.list`,
      method: 'GET',
      path,
      run: ({ base }: ScimRequest) => listAnswer(all(base), all(base).length, 0),
    },
    {
      operation: `scim.${name}.get`,
      method: 'GET',
      path: `${path}/{id}`,
      run({ base, id }: ScimRequest) {
        const found = there(all(base).find((one) => one.id === id) ?? null, what, id);
        return found.ok ? ok({ status: 200, body: found.value }) : found;
      },
    },
  ];
}

function serviceProviderConfig(base: string) {
  return {
    schemas: [scimUrns.serviceProviderConfig],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: maxCount },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'API key',
        description: 'An API key with the scope "provision", as a bearer token',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  };
}

function resourceTypes(base: string) {
  const type = ({ id: schema, name, description }: ScimSchema, extensions: readonly ScimSchema[]) => ({
    schemas: [scimUrns.resourceType],
    id: name,
    name,
    description,
    endpoint: `/${name}s`,
    schema,
    schemaExtensions: extensions.map(({ id }) => ({ schema: id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  });
  return [type(userSchema, [enterpriseUserSchema]), type(groupSchema, [])];
}

function schemas(base: string) {
  return [userSchema, groupSchema, enterpriseUserSchema].map((schema) => ({
    schemas: [scimUrns.schema],
    ...schema,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schema.id}` },
  }));
}
