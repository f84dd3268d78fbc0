import type { Placeholder } from '@sallyport/contracts';

/** What placeholders stand for. What is not there stands for nothing. */
export interface Values
  extends Partial<Record<Exclude<Placeholder, 'scopes' | 'existing_scopes'>, string | null>> {
  /** With those of `existing_scopes`. */
  readonly scopes?: readonly string[];
  readonly existing_scopes?: readonly string[];
  readonly delimiter: ',' | ' ';
}

/** A template with its values; lists of scopes are joined as the provider has it, each scope once. */
export function fill(template: string, values: Values): string {
  const parts = template.split(/(\{\{\s*[a-z_]+\s*\}\})/);
  const names = parts.map((part) => /^\{\{\s*([a-z_]+)\s*\}\}$/.exec(part)?.[1] ?? null);
  if (isScopeList(parts, names)) return scopeList(parts, names, values);
  return parts.map((part, at) => (names[at] == null ? part : textOf(names[at], values))).join('');
}

/** Whether a template holds this placeholder. */
export function holds(template: string, name: Placeholder): boolean {
  return new RegExp(`\\{\\{\\s*${name}\\s*\\}\\}`).test(template);
}

/** Whether the settings of a request say this themselves, by whatever name. */
export function says(
  { params = {} }: { readonly params?: Readonly<Record<string, string>> | undefined },
  name: 'client_id' | 'redirect_uri' | 'refresh_token' | 'access_token',
): boolean {
  return Object.values(params).some((template) => holds(template, name));
}

const isOfScopes = (name: string | null | undefined) => name === 'scopes' || name === 'existing_scopes';

/** Nothing but scopes, each apart from the next. */
function isScopeList(parts: readonly string[], names: readonly (string | null)[]): boolean {
  if (!names.some(isOfScopes) || names.some((name) => name !== null && !isOfScopes(name))) return false;
  return parts.every((part, at) => {
    if (names[at] !== null || part === '') return true;
    const isApartBefore = at === 0 || /^[\s,]/.test(part);
    return isApartBefore && (at === parts.length - 1 || /[\s,]$/.test(part));
  });
}

function scopeList(parts: readonly string[], names: readonly (string | null)[], values: Values): string {
  const all = parts.flatMap((part, at) => {
    if (names[at] === 'scopes') return values.scopes ?? [];
    if (names[at] === 'existing_scopes') return values.existing_scopes ?? [];
    return part.split(/[\s,]+/);
  });
  return [...new Set(all)].filter((scope) => scope !== '').join(values.delimiter);
}

function textOf(name: string, values: Values): string {
  const value = values[name as Placeholder] ?? '';
  return typeof value === 'string' ? value : value.join(values.delimiter);
}
