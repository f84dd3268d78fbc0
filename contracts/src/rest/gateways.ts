import { z } from 'zod';
import { publicJwk } from './public-jwk.ts';
import type { SecretResponse } from './secret-response.ts';

/** Requests and answers of gateways: Arcade's fields, and ours for access, presentation, naming and curation. */

export const gatewaySlug = z
  .string()
  .max(256)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens between them');

const gatewayAuthType = z.enum(['arcade', 'arcade_header', 'user_source']);

const toolName = z
  .string()
  .min(1)
  .max(512)
  .refine((name) => !name.includes('@'), 'must not name a version');

const argumentName = z.string().min(1).max(256);

const toolCuration = z.strictObject({
  tool: toolName.refine((name) => !/[*?]/.test(name), 'must be the exact name of one tool'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -')
    .optional(),
  description: z.string().max(10_000).optional(),
  arguments: z
    .strictObject({
      fixed: z.record(argumentName, z.unknown()).default({}),
      defaults: z.record(argumentName, z.unknown()).default({}),
      hidden: z.array(argumentName).default([]),
    })
    .refine(({ fixed, defaults }) => !Object.keys(defaults).some((name) => Object.hasOwn(fixed, name)), {
      path: ['defaults'],
      message: 'an argument is either fixed or has a default',
    })
    .optional(),
});

const toolFilter = z.strictObject({
  /** `Toolkit.Tool`, or globs such as `Github.*`; left out: every tool. */
  allowed_tools: z.array(toolName).nullable().optional(),
  discovery: z
    .strictObject({
      enabled: z.boolean().optional(),
      allowed_classes: z.array(z.string()).max(10).optional(),
      pinned_asset_keys: z.array(z.string()).max(500).optional(),
    })
    .optional(),
  registry_suggestions: z.strictObject({ enabled: z.boolean().optional() }).optional(),
});

/** Signatures that only the issuer can make. */
export const assertionAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
/** Signatures that whoever can check them can make. */
const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;

const audience = z.string().min(1).max(2048);
const claimPath = z.string().min(1).max(256);
const keySources = ['jwks', 'jwks_uri', 'public_key_pem', 'secret'] as const;

/** Whose word on the user a gateway takes: a JWT of this issuer. */
export const userAssertionRequest = z
  .strictObject({
    /** `iss`, exactly. */
    issuer: z.string().min(1).max(2048),
    /** One of these must be in `aud`. */
    audience: z.union([audience, z.array(audience).min(1).max(100)]).optional(),
    jwks: z.object({ keys: z.array(publicJwk).min(1).max(100) }).optional(),
    jwks_uri: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
      .max(2048)
      .optional(),
    public_key_pem: z
      .string()
      .max(16_384)
      .regex(/^\s*-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\s*$/, 'must be a public key in PEM')
      .optional(),
    /** At least 32 characters: shared with the issuer, for HS256 and its like. */
    secret: z.string().min(32).max(1024).optional(),
    algorithms: z
      .array(z.enum([...assertionAlgorithms, ...secretAlgorithms]))
      .min(1)
      .max(14)
      .optional(),
    /** Where the token names the user: a claim, or a path with dots. `sub` where it is left out. */
    user_claim: claimPath.optional(),
    /** Where it lists groups; `groups` where it is left out. */
    groups_claim: claimPath.optional(),
  })
  .superRefine((request, context) => {
    const given = keySources.filter((field) => request[field] !== undefined);
    if (given.length !== 1) {
      const message = `needs exactly one of ${keySources.join(', ')}`;
      context.addIssue({ code: 'custom', path: given.slice(1, 2), message });
    }
    const allowed: readonly string[] = request.secret === undefined ? assertionAlgorithms : secretAlgorithms;
    for (const [index, algorithm] of (request.algorithms ?? []).entries()) {
      if (allowed.includes(algorithm)) continue;
      const message = `is not for this kind of key; it takes ${allowed.join(', ')}`;
      context.addIssue({ code: 'custom', path: ['algorithms', index], message });
    }
  });
export type UserAssertionRequest = z.infer<typeof userAssertionRequest>;

/** RFC 6749 §3.3, without what this server uses itself. */
const oauthScope = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9._:/-]+$/, 'must be letters, digits and . _ : / -')
  .refine((scope) => !['openid', 'offline_access', 'mcp', 'profile', 'email'].includes(scope), 'is taken');

const fields = {
  slug: gatewaySlug.optional(),
  description: z.string().max(1000).optional(),
  instructions: z.string().max(5000).optional(),
  status: z.enum(['active', 'inactive']).optional(),
  auth_type: gatewayAuthType.optional(),
  auth_types: z.array(gatewayAuthType).min(1).max(3).optional(),
  user_source_id: z.string().max(256).nullable().optional(),
  /** Several: people choose where they sign in. */
  user_source_ids: z.array(z.string().min(1).max(256)).max(20).optional(),
  /** Tools for which a client must ask an OAuth scope of its own. */
  tool_scopes: z
    .array(z.strictObject({ scope: oauthScope, tools: z.array(toolName).min(1).max(500) }))
    .max(50)
    .optional(),
  /** Set: a user id by itself is not believed. `null`: it is. */
  user_assertion: userAssertionRequest.nullable().optional(),
  tool_filter: toolFilter.optional(),
  allowed_passthrough_headers: z.array(z.string().max(256)).max(100).optional(),
  consent_skip_client_ids: z.array(z.string().max(2048)).max(64).optional(),
  access: z.enum(['open', 'granted']).optional(),
  presentation: z.enum(['tools', 'hub', 'auto']).optional(),
  naming: z.enum(['toolkit', 'source']).optional(),
  tools: z
    .array(toolCuration)
    .superRefine((entries, context) => {
      const seen = new Set<string>();
      for (const [index, { tool }] of entries.entries()) {
        const key = tool.toLowerCase();
        if (seen.has(key))
          context.addIssue({ code: 'custom', path: [index, 'tool'], message: 'is listed twice' });
        seen.add(key);
      }
    })
    .optional(),
};
const name = z.string().min(1).max(256);

interface AuthFields {
  auth_type?: string | undefined;
  auth_types?: readonly string[] | undefined;
}

function checkAuthTypes(request: AuthFields, context: z.RefinementCtx): void {
  if (request.auth_type !== undefined && request.auth_types?.includes(request.auth_type) === false) {
    context.addIssue({ code: 'custom', path: ['auth_type'], message: 'is not one of auth_types' });
  }
}

function checkUserSource(
  request: AuthFields & {
    user_source_id?: string | null | undefined;
    user_source_ids?: readonly string[] | undefined;
  },
  context: z.RefinementCtx,
): void {
  checkAuthTypes(request, context);
  const types = request.auth_types ?? [request.auth_type];
  if (types.includes('user_source') && !request.user_source_id && !request.user_source_ids?.length) {
    context.addIssue({
      code: 'custom',
      path: ['user_source_id'],
      message: 'is required for auth type "user_source"',
    });
  }
}

/** `POST` of a gateway, and an entry of `gateways` in the config file. A slug left out is made from the name. */
export const createGatewayRequest = z.strictObject({ name, ...fields }).superRefine(checkUserSource);
export type CreateGatewayRequest = z.infer<typeof createGatewayRequest>;

/** `PUT`: the gateway becomes exactly this; what is left out takes its default (the slug stays). */
export const replaceGatewayRequest = z
  .strictObject({ id: z.string().optional(), name, ...fields })
  .superRefine(checkUserSource);
export type ReplaceGatewayRequest = z.infer<typeof replaceGatewayRequest>;

/** `PATCH`: what is left out stays. `tool_filter.allowed_tools: null` means every tool again. */
export const updateGatewayRequest = z
  .strictObject({ id: z.string().optional(), name: name.optional(), ...fields })
  .superRefine(checkAuthTypes);
export type UpdateGatewayRequest = z.infer<typeof updateGatewayRequest>;

/** `POST …/gateways/slug`: is it free? */
export const gatewaySlugRequest = z.strictObject({ slug: gatewaySlug });

export interface GatewayResponse {
  id: string;
  name: string;
  slug: string;
  /** Where clients connect. */
  url: string;
  description: string;
  instructions: string;
  status: 'active' | 'inactive';
  /** The first of `auth_types`. */
  auth_type: string;
  auth_types: string[];
  /** The first of `user_source_ids`. */
  user_source_id?: string;
  user_source_ids: string[];
  tool_scopes: { scope: string; tools: string[] }[];
  user_assertion?: Omit<UserAssertionRequest, 'secret'> & { secret?: SecretResponse };
  tool_filter: {
    allowed_tools?: string[];
    discovery?: Record<string, unknown>;
    registry_suggestions?: Record<string, unknown>;
  };
  allowed_passthrough_headers: string[];
  consent_skip_client_ids: string[];
  access: 'open' | 'granted';
  presentation: 'tools' | 'hub' | 'auto';
  naming: 'toolkit' | 'source';
  tools: {
    tool: string;
    name?: string;
    description?: string;
    arguments: { fixed: Record<string, unknown>; defaults: Record<string, unknown>; hidden: string[] };
  }[];
  binding: { type: 'static' | 'project'; id: string };
  /** Not for what the config file declares. */
  created_at?: string;
  updated_at?: string;
}
