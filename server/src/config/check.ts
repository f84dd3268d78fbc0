import {
  type AuthProviderRequest,
  type CreateGatewayRequest,
  createGatewayRequest,
  type DeclaredUserSourceRequest,
  declaredAuthProviderRequest,
  declaredHookRequest,
  declaredPluginRequest,
  declaredSecretRequest,
  declaredUserSourceRequest,
  declaredWorkerRequest,
  grantRequest,
  limitRequest,
  type RuleRequest,
  ruleRequest,
} from '@sallyport/contracts';
import { z } from 'zod';
import { newGatewayFromRequest, type Refusal } from '#domain';
import type { Result } from '#foundation';
import { err, ok } from '#foundation';
import { reportHooks } from './check-hooks.ts';
import type { ConfigFile } from './config-file.ts';
import { egressEntryForm, isEgressEntry } from './egress-entry.ts';
import { hubRequest } from './hub-section.ts';
import type { ConfigMistake, Path } from './mistakes.ts';
import { formatPath, unknownKey } from './mistakes.ts';
import type { ReferenceSources } from './references.ts';
import { knownKeys, resolveReferences } from './references.ts';
import { rootKeysRequest } from './root-keys.ts';
import type { Tree } from './tree.ts';
import { locate, locateKey } from './tree.ts';

/** Known words that this version does not act on. Accepting one and not acting on it would be dangerous. */
const laterSections = ['models'] as const;

const fileSchema = z.strictObject({
  workers: z.array(declaredWorkerRequest).default([]),
  gateways: z.array(createGatewayRequest).default([]),
  grants: z.array(grantRequest).default([]),
  rules: z.array(ruleRequest).default([]),
  limits: z.array(limitRequest).default([]),
  plugins: z.array(declaredPluginRequest).default([]),
  hooks: z.array(declaredHookRequest).default([]),
  user_sources: z.array(declaredUserSourceRequest).default([]),
  auth_providers: z.array(declaredAuthProviderRequest).default([]),
  secrets: z.array(declaredSecretRequest).default([]),
  egress: z
    .strictObject({
      allow: z.array(z.string().refine(isEgressEntry, `expected ${egressEntryForm}`)).default([]),
    })
    .default({ allow: [] }),
  audit: z.strictObject({ durability: z.enum(['relaxed', 'strict']).optional() }).default({}),
  security: z.strictObject({ root_keys: rootKeysRequest.default([]) }).default({ root_keys: [] }),
  hub: hubRequest.prefault({}),
});
const topKeys = [...Object.keys(fileSchema.shape), ...laterSections];

/** What else is wrong with a request, that its schema cannot see; others know it. */
export interface FurtherChecks {
  /** Its pattern, its path, its condition. */
  rule(rule: RuleRequest): Refusal | null;
  /** Its keys. */
  gateway(gateway: CreateGatewayRequest): Refusal | null;
  /** Its issuer, its keys, who could come in. */
  userSource(request: DeclaredUserSourceRequest): Refusal | null;
  /** Whether it is complete with the well-known provider that it names. */
  authProvider(request: AuthProviderRequest): Refusal | null;
}

/** Checks the whole tree and returns either the config or every mistake in it. */
export async function checkConfig(
  tree: Tree,
  from: ReferenceSources & { readonly file: string; readonly checks: FurtherChecks },
): Promise<Result<ConfigFile, ConfigMistake[]>> {
  const mistakes: ConfigMistake[] = [];
  const report: Report = (path, message, onKey = false) => {
    const at = onKey ? locateKey(tree, path) : locate(tree, path);
    const mistake = { file: from.file, ...at, path: formatPath(path), message };
    // The first word on a field is the most precise; what follows from it is noise.
    if (!mistakes.some((other) => other.path === mistake.path)) mistakes.push(mistake);
  };

  const sections = withoutEmptySections(tree);
  if (sections === null) {
    report([], `expected a mapping with any of ${topKeys.join(', ')}`);
    return err(mistakes);
  }
  refuseLaterSections(sections, report);
  const resolved = await resolveReferences(sections, fileSchema, from);
  for (const { path, message } of resolved.mistakes) report(path, message);
  const value = resolved.value as RawConfig;
  for (const name of laterSections) delete value[name];
  fillNamesAndSlugs(value, report);
  reportDuplicates(value, tree, report);

  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) reportIssue(issue, value, report);
  }
  reportFurther(value, 'gateways', createGatewayRequest, from.checks.gateway, report);
  reportFurther(value, 'rules', ruleRequest, from.checks.rule, report);
  reportFurther(value, 'user_sources', declaredUserSourceRequest, from.checks.userSource, report);
  reportFurther(value, 'auth_providers', declaredAuthProviderRequest, from.checks.authProvider, report);
  reportHooks(value, report);
  if (!parsed.success || mistakes.length > 0) return err(mistakes);

  const {
    workers,
    gateways,
    grants,
    rules,
    limits,
    plugins,
    hooks,
    user_sources,
    auth_providers,
    secrets,
    egress,
    audit,
  } = parsed.data;
  const at = (path: Path) => ({ file: from.file, ...locate(tree, path), path: formatPath(path) });
  const declared = <T>(section: string, requests: readonly T[]) =>
    requests.map((request, index) => ({ request, at: at([section, index]) }));
  return ok({
    workers: declared('workers', workers),
    gateways: gateways.map((request, index) => {
      const { slug = slugOf(request.name) } = request;
      return { id: `gw_file_${slug}`, request: { ...request, slug }, at: at(['gateways', index]) };
    }),
    grants: declared('grants', grants),
    rules: declared('rules', rules),
    limits: declared('limits', limits),
    plugins: declared('plugins', plugins),
    hooks: declared('hooks', hooks),
    userSources: declared('user_sources', user_sources),
    authProviders: declared('auth_providers', auth_providers),
    secrets: declared('secrets', secrets),
    egressAllow: egress.allow,
    auditDurability: audit.durability ?? null,
    rootKeys: parsed.data.security.root_keys,
    hub: parsed.data.hub,
    references: resolved.references,
  });
}

type Report = (path: Path, message: string, onKey?: boolean) => void;
type RawConfig = Record<string, unknown>;

/** `workers:` with nothing below it is the same as no `workers`. */
function withoutEmptySections(tree: Tree): (Tree & { kind: 'map' }) | null {
  if (tree.kind === 'scalar' && tree.value === null) return { kind: 'map', at: tree.at, entries: new Map() };
  if (tree.kind !== 'map') return null;
  const entries = [...tree.entries].filter(
    ([name, { tree: section }]) =>
      !topKeys.includes(name) || section.kind !== 'scalar' || section.value !== null,
  );
  return { ...tree, entries: new Map(entries) };
}

function refuseLaterSections(sections: Tree & { kind: 'map' }, report: Report): void {
  for (const name of laterSections) {
    const section = sections.entries.get(name)?.tree;
    const count =
      section?.kind === 'list' ? section.items.length : section?.kind === 'map' ? section.entries.size : 1;
    if (section !== undefined && count > 0) {
      report(
        [name],
        'this version does not act on this section yet; remove it, because nothing would apply it',
        true,
      );
    }
  }
}

/** A gateway needs a name or a slug; each gives the other. */
function fillNamesAndSlugs(value: RawConfig, report: Report): void {
  for (const [index, gateway] of listIn(value.gateways).entries()) {
    if (!isRecord(gateway)) continue;
    const { name, slug } = gateway;
    if (name === undefined && slug === undefined) {
      report(['gateways', index, 'name'], 'is missing; expected a name or a slug');
    } else if (name === undefined && typeof slug === 'string') {
      gateway.name = slug;
    } else if (slug === undefined && typeof name === 'string') {
      gateway.slug = slugOf(name);
    }
  }
}

function reportDuplicates(value: RawConfig, tree: Tree, report: Report): void {
  for (const [section, field] of [
    ['workers', 'id'],
    ['gateways', 'slug'],
    ['plugins', 'id'],
    ['user_sources', 'id'],
    ['auth_providers', 'id'],
    ['secrets', 'key'],
  ] as const) {
    const first = new Map<string, number>();
    for (const [index, entry] of listIn(value[section]).entries()) {
      const id = isRecord(entry) ? entry[field] : undefined;
      if (typeof id !== 'string') continue;
      const before = first.get(id);
      if (before === undefined) first.set(id, index);
      else {
        const { line } = locate(tree, [section, before]);
        report(
          [section, index, field],
          `is the same as ${section}[${before}].${field} (line ${line}); expected another`,
        );
      }
    }
  }
}

/** Also where other entries have mistakes: all are told at once. */
function reportFurther<Request>(
  value: RawConfig,
  section: string,
  schema: z.ZodType<Request>,
  check: (request: Request) => Refusal | null,
  report: Report,
): void {
  for (const [index, entry] of listIn(value[section]).entries()) {
    const parsed = schema.safeParse(entry);
    const problem = parsed.success ? check(parsed.data) : null;
    if (problem === null) continue;
    const { message, field = '' } = problem;
    const path = field.split('.').filter((key) => key !== '');
    const words = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
    report([section, index, ...path.map((key) => (/^\d+$/.test(key) ? Number(key) : key))], words);
  }
}

function reportIssue(issue: z.core.$ZodIssue, value: RawConfig, report: Report): void {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 ? topKeys : knownKeys(fileSchema, path);
    for (const key of issue.keys) report([...path, key], unknownKey(key, known), true);
  } else if (issue.code === 'invalid_key') {
    report(path, `the key ${plainMessage(issue.issues[0]?.message ?? 'is not valid')}`, true);
  } else {
    const given = valueAt(value, path);
    const message =
      issue.code === 'invalid_type' && given === undefined
        ? `is missing; expected a ${typeWord(issue.expected)}`
        : plainMessage(issue.message);
    report(path, message);
  }
}

/** zod begins its messages with a verdict; what was expected is enough. */
function plainMessage(message: string): string {
  return message
    .replace(/^(Invalid input|Invalid option|Too small|Too big|Invalid string): /, '')
    .replace(/^expected (\w+), received (\w+)/, (_, expected: string, got: string) => {
      return `expected a ${typeWord(expected)}, got ${got === 'null' ? 'nothing' : `a ${typeWord(got)}`}`;
    });
}

function typeWord(type: string): string {
  return { object: 'mapping', record: 'mapping', array: 'list', int: 'whole number' }[type] ?? type;
}

/** The slug that the same request would get over the API. */
function slugOf(name: string): string {
  return newGatewayFromRequest({ name }, { projectId: '' }).slug;
}

function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const key of path)
    here = isRecord(here) || Array.isArray(here) ? (here as RawConfig)[String(key)] : undefined;
  return here;
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is RawConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
