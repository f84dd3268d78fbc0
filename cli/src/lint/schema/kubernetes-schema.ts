import { isMapping, type Mapping } from '../../files/values.ts';
import type { SchemaProblem } from './schema-problem.ts';

interface AjvError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: {
    readonly type?: string;
    readonly allowedValues?: readonly unknown[];
    readonly missingProperty?: string;
    readonly format?: string;
  };
}

type Validate = ((value: unknown) => boolean) & { readonly errors?: readonly AjvError[] | null };

const validators = new Map<string, Promise<Validate | null>>();

/** The schema that Kubernetes publishes for a kind of its own; `null` where it has none. */
async function validatorOf(apiVersion: string, kind: string): Promise<Validate | null> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const domain = group === '' ? 'core' : (group.split('.')[0] ?? '');
  const name = `IoK8sApi${capital(domain)}${capital(version)}${kind}`;
  if (!/^[A-Za-z0-9]+$/.test(name)) return null;
  const found = validators.get(name) ?? load(name);
  validators.set(name, found);
  return found;
}

async function load(name: string): Promise<Validate | null> {
  try {
    return ((await import(`kubernetes-models/_schemas/${name}`)) as { readonly validate: Validate }).validate;
  } catch (error) {
    if (['ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes((error as { code: string }).code))
      return null;
    throw error;
  }
}

/** What of the object has not the type, or one of the values, that Kubernetes wants. `null`: it knows no such kind. */
export async function schemaProblems(
  object: Mapping,
  apiVersion: string,
  kind: string,
): Promise<readonly SchemaProblem[] | null> {
  const validate = await validatorOf(apiVersion, kind);
  if (validate === null) return null;
  if (validate(withoutNulls(object))) return [];
  const byPath = Map.groupBy(validate.errors ?? [], ({ instancePath }) => instancePath);
  return [...byPath].flatMap(([pointer, errors]) => problemsOf(pathOf(pointer), errors));
}

function problemsOf(path: readonly (string | number)[], errors: readonly AjvError[]): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const types = errors.flatMap(({ params }) => (params.type === undefined ? [] : [params.type]));
  const hasFormat = errors.some(({ keyword }) => keyword === 'format');
  if (types.length > 0 && !hasFormat) {
    const wanted = [...new Set(types)].map((type) =>
      type === 'object' ? 'mapping' : type === 'array' ? 'list' : type,
    );
    problems.push({ path, message: `must be ${wanted.map(withArticle).join(' or ')}` });
  }
  for (const { keyword, params } of errors) {
    if (keyword === 'required') problems.push({ path, message: `lacks the field ${params.missingProperty}` });
    if (keyword === 'format') problems.push({ path, message: `is no ${params.format}` });
    if (keyword === 'enum' && types.length === 0) {
      problems.push({ path, message: `must be ${(params.allowedValues ?? []).map(String).join(' or ')}` });
    }
  }
  return problems;
}

const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

const pathOf = (pointer: string): (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));

/** An API server takes a field that is null as one that is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  );
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
