import { type Credential, type Refusal, refusal, type Tool } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import type { Secrets } from './contract.ts';

type Given = Credential['secrets'];

const none: Result<Given, Refusal> = ok([]);

/**
 * The secrets that a tool asks for, and no others; what was given for this call goes first. Refused where it asks for one that is
 * not there, rather than run without it.
 */
export function secretsForTool(
  { projectId, qualifiedName, requirements }: Tool,
  given: Given,
  secrets: Pick<Secrets, 'open'>,
): MaybePromise<Result<Given, Refusal>> {
  const wanted = requirements.secrets ?? [];
  if (wanted.length === 0) return none;
  const keys = [...new Set(wanted.map(({ key }) => key))];
  const opened = keys.map(
    (key) => given.find((one) => one.key === key)?.value ?? secrets.open(projectId, key),
  );
  const join = (values: readonly (string | null)[]): Result<Given, Refusal> => {
    const missing = keys.filter((_, index) => values[index] === null);
    if (missing.length > 0) return err(notSet(qualifiedName, missing));
    return ok(keys.map((key, index) => ({ key, value: values[index] as string })));
  };
  return opened.some((value) => value instanceof Promise)
    ? Promise.all(opened).then(join)
    : join(opened as (string | null)[]);
}

function notSet(tool: string, keys: readonly string[]): Refusal {
  const what = keys.length === 1 ? `the secret ${keys[0]}` : `the secrets ${keys.join(', ')}`;
  const message = `${tool} needs ${what}, which nobody has set here: an administrator sets secrets (arcade secret set, or /v1/admin/secrets)`;
  return refusal('credentials.not_configured', message, { details: { secrets: keys } });
}
