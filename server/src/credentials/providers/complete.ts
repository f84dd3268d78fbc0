import {
  type AuthProviderRequest,
  type OAuth2RequestSettings,
  type OAuth2Settings,
  oauth2Settings,
  placeholdersIn,
  reservedParams,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import { checkExpression } from '../oauth2/expressions.ts';
import { knownProvider, knownProviders } from './known/known-providers.ts';
import type { KnownProvider } from './known-provider.ts';
import { layered } from './layered.ts';

/** What a provider comes to, with the facts of the well-known one that it names. */
export interface Complete {
  readonly known: KnownProvider | null;
  readonly label: string;
  /** Only of `oauth2`. Without the secret. */
  readonly oauth2: OAuth2Settings | null;
}

/** What is wrong with a provider that its schema cannot see. */
export function checkAuthProvider(request: AuthProviderRequest): Refusal | null {
  const complete = completed(request);
  return complete.ok ? null : complete.error;
}

export function completed(request: AuthProviderRequest): Result<Complete, Refusal> {
  const known = request.provider_id === undefined ? null : knownProvider(request.provider_id);
  const label = known?.label ?? labelOf(request);
  const variables = filled(known, request);
  if (!variables.ok) return variables;
  if (request.type !== 'oauth2') {
    const problem = expressionProblem('entry', request.entry ?? {});
    return problem === null ? ok({ known, label, oauth2: null }) : err(problem);
  }
  const { client_secret: _secret, ...own } = request.oauth2 ?? {};
  const facts = known === null ? {} : (withVariables(known.settings, variables.value) as Members);
  const settings = oauth2Settings.safeParse(layered(facts, own));
  if (settings.success) {
    const oauth2 = acting(settings.data);
    const problem = expressionProblem('oauth2', oauth2);
    return problem === null ? ok({ known, label, oauth2 }) : err(problem);
  }
  const [issue] = settings.error.issues;
  const [block = '', member = ''] = issue?.path.map(String) ?? [];
  const isMissing = /received undefined$/.test(issue?.message ?? '');
  if (known === null && isMissing && (member === '' || member === 'endpoint'))
    return err(invalid(`oauth2.${block}`, missingWords(request)));
  const field = ['oauth2', ...(issue?.path.map(String) ?? [])].join('.');
  return err(invalid(field, isMissing ? 'is required' : (issue?.message ?? '')));
}

/** Without what the gateway sets itself, and what is switched off. */
function acting({ token_introspection_request: asked, ...settings }: OAuth2Settings): OAuth2Settings {
  const { enabled = true, ...introspection } = asked ?? { endpoint: '', enabled: false };
  return {
    ...settings,
    authorize_request: withoutReserved(settings.authorize_request),
    token_request: withoutReserved(settings.token_request),
    ...(enabled ? { token_introspection_request: introspection } : {}),
  };
}

function withoutReserved(request: OAuth2RequestSettings): OAuth2RequestSettings {
  const params = Object.entries(request.params ?? {}).filter(([name]) => !reservedParams.includes(name));
  return { ...request, params: Object.fromEntries(params) };
}

/** The first expression in these settings that cannot be read. */
function expressionProblem(block: string, settings: Members): Refusal | null {
  for (const [name, member] of Object.entries(settings)) {
    const isRequest = isMembers(member) && isMembers(member.response_map);
    const map = isRequest ? member.response_map : name === 'account' ? member : {};
    for (const [field, text] of Object.entries(map as Members)) {
      const wrong = typeof text === 'string' ? checkExpression(text) : null;
      const path = [block, name, ...(isRequest ? ['response_map'] : []), field].join('.');
      if (wrong !== null) return invalid(path, wrong);
    }
  }
  return null;
}

function labelOf({ id, description = '' }: AuthProviderRequest): string {
  return description !== '' && description.length <= 60 && !/\p{Cc}/u.test(description) ? description : id;
}

function missingWords({ provider_id: id }: AuthProviderRequest): string {
  if (id === undefined) return 'is required with an endpoint, as no provider_id names a well-known provider';
  const ids = knownProviders.map((known) => known.id).join(', ');
  return `is required with an endpoint, as "${id}" is no well-known provider; these are: ${ids}`;
}

/** What stands for the variables of a well-known provider. */
function filled(
  known: KnownProvider | null,
  { variables = {} }: AuthProviderRequest,
): Result<ReadonlyMap<string, string>, Refusal> {
  const wanted = Object.entries(known?.variables ?? {});
  const names = wanted.map(([name]) => name);
  const unknown = Object.keys(variables).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const takes = names.length === 0 ? 'no variables' : names.join(', ');
    const whose =
      known === null ? 'only a well-known provider has variables' : `${known.label} takes ${takes}`;
    return err(invalid(`variables.${unknown}`, `is not known: ${whose}`));
  }
  const values = new Map<string, string>();
  for (const [name, { label, example, pattern, default: usual }] of wanted) {
    const value = Object.hasOwn(variables, name) ? variables[name] : usual;
    const hint = `${label}, such as ${example}`;
    if (value === undefined) return err(invalid(`variables.${name}`, `is required: ${hint}`));
    if (!pattern.test(value)) return err(invalid(`variables.${name}`, `must be ${hint}`));
    values.set(name, value);
  }
  return ok(values);
}

function withVariables(value: unknown, variables: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string')
    return placeholdersIn(value).reduce(
      (text, name) => text.replaceAll(`{{${name}}}`, () => variables.get(name) ?? `{{${name}}}`),
      value,
    );
  if (!isMembers(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withVariables(member, variables)]),
  );
}

function invalid(field: string, message: string): Refusal {
  return refusal('request.params_invalid', `${field}: ${message}`, { field });
}
