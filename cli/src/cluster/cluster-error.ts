import { CommandError } from '../command-error.ts';

/** What an API server refused, as it worded it. */
export interface Refusal {
  readonly status: number;
  /** `Conflict`, `Invalid`, `Forbidden`: of Kubernetes' own words. */
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
  }[];
}

/** A request to a cluster that failed. */
export class ClusterError extends CommandError {
  /** Null where no answer came. */
  readonly refusal: Refusal | null;

  constructor(
    code: string,
    message: string,
    details: readonly string[] = [],
    refusal: Refusal | null = null,
    options?: ErrorOptions,
  ) {
    super(code, message, details, options);
    this.refusal = refusal;
  }
}

const codes: Readonly<Record<number, string>> = {
  401: 'cluster.unauthorized',
  403: 'cluster.forbidden',
  404: 'cluster.not-found',
  409: 'cluster.conflict',
  422: 'cluster.invalid',
  429: 'cluster.busy',
};

/** An answer that is no success, as our user is told of it. */
export function refusedBy(context: string, refusal: Refusal): ClusterError {
  const { status, message } = refusal;
  const code = codes[status] ?? (status < 500 ? 'cluster.refused' : 'cluster.failed');
  return new ClusterError(code, `${context} says: ${message}`, adviceFor(refusal), refusal);
}

function adviceFor({ status, message }: Refusal): string[] {
  if (status === 401) {
    return [
      'The credentials of this context are not valid (any more): sign in again, or name another --context.',
    ];
  }
  if (status === 429)
    return ['The API server is overloaded and asked to wait; it was asked again until patience ended.'];
  if (status !== 403) return [];
  const missing =
    /cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(message);
  if (missing === null) return [];
  const [, verb, resource, group, namespace] = missing;
  const where = namespace === undefined ? 'the whole cluster' : `namespace ${namespace}`;
  const named = group === '' ? resource : `${resource}.${group}`;
  return [
    `Your account lacks the verb "${verb}" on ${named} in ${where}: a Role with it, and a RoleBinding to you, are needed.`,
  ];
}

/** A request that got no answer. */
export function unreachable(context: string, server: string, error: unknown): ClusterError {
  const codes = [...causesOf(error)].map((cause) => (cause as NodeJS.ErrnoException).code ?? '');
  const said = [...causesOf(error)].at(-1)?.message ?? String(error);
  const cause = { cause: error };
  if (codes.some((code) => certificateCodes.test(code))) {
    const advice =
      'certificate-authority-data of the kubeconfig must be of the CA that signed it, and the address must be one of its names.';
    return new ClusterError(
      'cluster.certificate',
      `The certificate of ${server} is not trusted: ${said}`,
      [advice],
      null,
      cause,
    );
  }
  const isLate = [...causesOf(error)].some(({ name }) => name === 'TimeoutError');
  const why = isLate ? 'no answer in time' : said;
  return new ClusterError(
    isLate ? 'cluster.timeout' : 'cluster.unreachable',
    `${context} cannot be reached at ${server}: ${why}`,
    ['Is the network (VPN) there, and is this the right --context?'],
    null,
    cause,
  );
}

/** The answer is none of an API server's. */
export function notAnApiServer(context: string, path: string): ClusterError {
  return new ClusterError(
    'cluster.answer-invalid',
    `${context} answered ${path} otherwise than an API server does`,
    ['Is there a proxy before it that asks who you are, and is this the right --context?'],
  );
}

/** The kubeconfig's credentials could not be read, or its plug-in gave none; what that printed may hold some. */
export function notSignedIn(context: string, error: unknown): ClusterError {
  const said =
    error instanceof SyntaxError
      ? 'its plug-in printed no ExecCredential'
      : (error as Error).message.trim().split('\n').at(-1);
  return new ClusterError(
    'cluster.not-signed-in',
    `The credentials of the context ${context} cannot be had: ${said}`,
    ['Sign in again as the kubeconfig has it, or name another --context.'],
    null,
    error instanceof SyntaxError ? {} : { cause: error },
  );
}

const certificateCodes = /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_(GET_ISSUER|VERIFY)|^ERR_SSL/;

function* causesOf(error: unknown): Generator<Error> {
  for (let at = error; at instanceof Error; at = at.cause) yield at;
}

/** Whether the request broke off on its way, and may be asked again. */
export function isBrokenOff(error: unknown): boolean {
  return [...causesOf(error)].some(({ code }: NodeJS.ErrnoException) =>
    ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code ?? ''),
  );
}
