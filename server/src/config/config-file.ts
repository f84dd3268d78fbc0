import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type {
  AuthProviderRequest,
  CreateGatewayRequest,
  DeclaredHookRequest,
  DeclaredPluginRequest,
  DeclaredSecretRequest,
  DeclaredUserSourceRequest,
  DeclaredWorkerRequest,
  GrantRequest,
  LimitRequest,
  RuleRequest,
} from '@sallyport/contracts';
import type { Result } from '#foundation';
import { err, ok } from '#foundation';
import { checkConfig, type FurtherChecks } from './check.ts';
import { type HubRequest, hubRequest } from './hub-section.ts';
import type { ConfigMistake, Path, Place } from './mistakes.ts';
import type { RootKeyRequest } from './root-keys.ts';
import { parseTree } from './tree.ts';

/** A resource from the file: the validated request, and where it stands, for messages that come later. */
export interface Declared<T> {
  readonly request: T;
  readonly at: Place;
}

export interface DeclaredGateway extends Declared<CreateGatewayRequest & { readonly slug: string }> {
  /** Follows from the slug alone, so it is the same after every restart. */
  readonly id: string;
}

export interface ConfigFile {
  readonly workers: readonly Declared<DeclaredWorkerRequest>[];
  readonly gateways: readonly DeclaredGateway[];
  readonly grants: readonly Declared<GrantRequest>[];
  readonly rules: readonly Declared<RuleRequest>[];
  readonly limits: readonly Declared<LimitRequest>[];
  readonly plugins: readonly Declared<DeclaredPluginRequest>[];
  readonly hooks: readonly Declared<DeclaredHookRequest>[];
  readonly userSources: readonly Declared<DeclaredUserSourceRequest>[];
  readonly authProviders: readonly Declared<AuthProviderRequest>[];
  readonly secrets: readonly Declared<DeclaredSecretRequest>[];
  /** Joined with `SALLYPORT_EGRESS_ALLOW`. */
  readonly egressAllow: readonly string[];
  /** `null` where the file is silent. `SALLYPORT_AUDIT_DURABILITY` goes first. */
  readonly auditDurability: 'relaxed' | 'strict' | null;
  /** What seals secrets. Read at start only. `SALLYPORT_ROOT_KEY` is another. */
  readonly rootKeys: readonly RootKeyRequest[];
  /** How tools are found where there are many, and by which models. */
  readonly hub: HubRequest;
  /** The paths whose values came by reference; `redact` hides them. */
  readonly references: readonly Path[];
}

/** What a missing config file says. */
export const emptyConfig: ConfigFile = {
  workers: [],
  gateways: [],
  grants: [],
  rules: [],
  limits: [],
  plugins: [],
  hooks: [],
  userSources: [],
  authProviders: [],
  secrets: [],
  egressAllow: [],
  auditDurability: null,
  rootKeys: [],
  hub: hubRequest.parse({}),
  references: [],
};

const maxFileBytes = 1024 * 1024;

/** Reads and checks the config file. Never throws: a file that cannot be read is a mistake like any other. */
export async function loadConfigFile(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  checks: FurtherChecks,
): Promise<Result<ConfigFile, ConfigMistake[]>> {
  const file = displayName(path);
  const text = await readText(path);
  if (!text.ok) return err([{ file, line: 1, column: 1, path: '', message: text.error }]);
  const { tree, mistakes } = parseTree(text.value, file);
  if (tree === null) return err([...mistakes]);
  const checked = await checkConfig(tree, { file, env, directory: dirname(resolve(path)), checks });
  const told = new Set(mistakes.map(({ path }) => path).filter((path) => path !== ''));
  const all = [...mistakes, ...(checked.ok ? [] : checked.error.filter(({ path }) => !told.has(path)))];
  if (checked.ok && all.length === 0) return ok(checked.value);
  return err(all.sort((a, b) => a.line - b.line || a.column - b.column));
}

async function readText(path: string): Promise<Result<string, string>> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > maxFileBytes) return err('expected at most 1 MiB');
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return err('expected UTF-8 text');
    if (code === 'ENOENT') return err('there is no such file');
    return err(`expected a file that can be read (${code ?? 'unknown error'})`);
  }
}

/** As short as it stays clear: relative when the file is below the working directory. */
function displayName(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}
