import {
  type Caller,
  compileGlobs,
  type Gateway,
  type GlobSet,
  type Refusal,
  refusal,
  type ToolScope,
} from '#domain';

interface CompiledScope {
  readonly scope: string;
  readonly tools: GlobSet;
}

const compiled = new WeakMap<readonly ToolScope[], readonly CompiledScope[]>();

/** Whether the caller's access token was given for this tool; the refusal names every scope that it takes. API keys need none. */
export function requireScopes({ scopes }: Caller, gateway: Gateway | null, tool: string): Refusal | null {
  if (scopes === null || gateway === null || gateway.toolScopes.length === 0) return null;
  const needed = new Set<string>();
  for (const { scope, tools } of compiledScopes(gateway.toolScopes))
    if (tools.matches(tool)) needed.add(scope);
  if ([...needed].every((scope) => scopes.has(scope))) return null;
  const names = [...needed];
  const told = `this tool takes a sign-in with the scope ${names.map((name) => JSON.stringify(name)).join(' and ')}`;
  return refusal('identity.scope_insufficient', told, { details: { scopes: names } });
}

function compiledScopes(toolScopes: readonly ToolScope[]): readonly CompiledScope[] {
  const before = compiled.get(toolScopes);
  if (before !== undefined) return before;
  const made = toolScopes.map(({ scope, tools }) => ({ scope, tools: compileGlobs(tools) }));
  compiled.set(toolScopes, made);
  return made;
}
