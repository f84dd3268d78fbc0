import type { StatusProblem, StatusResponse, StatusSources } from '@sallyport/contracts';
import type { InstallationFacts, Traffic } from './contract.ts';

type Hooks = NonNullable<StatusResponse['hooks']>['failing'];

const weights = { down: 0, degraded: 1, notice: 2 } as const;

/** The heaviest first. */
export function weighed(problems: readonly StatusProblem[]): Pick<StatusResponse, 'status' | 'problems'> {
  const sorted = [...problems].sort((one, other) => weights[one.severity] - weights[other.severity]);
  const [heaviest] = sorted;
  const status = heaviest === undefined || heaviest.severity === 'notice' ? 'ok' : heaviest.severity;
  return { status, problems: sorted };
}

/**
 * What keeps this process from serving anybody. Everybody who asks is told that it is so; why is for `told`, who administer the
 * installation.
 */
export function outages(facts: InstallationFacts, told: boolean): StatusProblem[] {
  const why = (text: string | null) => (told && text !== null ? `: ${text}` : '');
  const problems: StatusProblem[] = [];
  if (facts.stopping) {
    problems.push({
      code: 'process.stopping',
      severity: 'down',
      what: 'this process is ending: it finishes what is under way and takes nothing new',
      since: null,
      advice: 'Ask again in a moment; where it does not come back, look at whatever starts it.',
      docs: 'docs/guides/telemetry.md',
    });
  }
  if (facts.database.error !== null) {
    problems.push({
      code: 'database.unreachable',
      severity: 'down',
      what: `the database does not answer${why(facts.database.error)}`,
      since: null,
      advice:
        facts.database.kind === 'postgres'
          ? 'See whether the PostgreSQL server of DATABASE_URL runs and can be reached from here; nothing needs a restart here.'
          : 'Restart the server; the log says why the embedded database has stopped.',
      docs: 'docs/guides/durability.md',
    });
  }
  if (!facts.audit.writable) {
    problems.push({
      code: 'audit.unwritable',
      severity: 'down',
      what: `the audit journal cannot be written, so every call is withheld${why(facts.audit.error)}`,
      since: null,
      advice:
        'Make room on the disk of SALLYPORT_DATA_DIR: calls go on as soon as there is some. If the disk itself failed, mend it and restart the server.',
      docs: 'docs/guides/durability.md#the-audit-journal',
    });
  }
  return problems;
}

/** What concerns the installation and keeps nobody from calling tools. */
export function installationProblems(facts: InstallationFacts): StatusProblem[] {
  const { wanted, serving } = facts.processes;
  const missing: StatusProblem = {
    code: 'process.missing',
    severity: 'degraded',
    what: `${serving} of ${wanted} processes serve; the others have more to do`,
    since: null,
    advice: 'Missing ones are started again by themselves; the log says why they ended.',
    docs: 'docs/config.md#environment-variables',
  };
  return [
    ...(serving < wanted ? [missing] : []),
    ...keptProblems(facts),
    ...facts.configMistakes.map(
      (mistake): StatusProblem => ({
        code: 'config.mistakes',
        severity: 'degraded',
        what: `the config file: ${mistake}`,
        since: null,
        advice: 'Change the file at that place; it is read again as soon as it is saved.',
        docs: 'docs/config.md',
      }),
    ),
    ...facts.exporters
      .filter(({ ok }) => !ok)
      .map(
        ({ signal, endpoint, error, failingSince }): StatusProblem => ({
          code: 'telemetry.exporter_failing',
          severity: 'degraded',
          what: `${signal} do not arrive at ${endpoint}${error === null ? '' : `: ${error}`}`,
          since: failingSince,
          advice:
            'See whether the collector runs and takes OTLP over HTTP at this address; calls are served all the same.',
          docs: 'docs/guides/telemetry.md#opentelemetry',
        }),
      ),
    ...facts.failingModels.map(
      ({ use, model, error, since }): StatusProblem => ({
        code: 'hub.model_failing',
        severity: 'notice',
        what: `the model ${model} does not answer as it should (hub, ${use}): ${error}`,
        since,
        advice:
          'Search does without it, and tries it again by itself. Look at its address, its key and its limits.',
        docs: 'docs/guides/hub-models.md#when-a-model-does-not-answer',
      }),
    ),
  ];
}

function keptProblems({ audit, vault, redis }: InstallationFacts): StatusProblem[] {
  const problems: StatusProblem[] = [];
  if (audit.writable && audit.error !== null) {
    problems.push({
      code: 'audit.behind',
      severity: 'degraded',
      what: `audit records are journalled, and do not get into the database (${audit.behindBytes} bytes wait): ${audit.error}`,
      since: null,
      advice:
        'Mend the database: what waits is drained by itself, and nothing is lost while the disk has room.',
      docs: 'docs/guides/durability.md#the-audit-journal',
    });
  }
  if (!vault.seals) {
    problems.push({
      code: 'vault.cannot_seal',
      severity: 'degraded',
      what: 'a vault key of another replica cannot be had, so nothing can be sealed: no consent, no token, no secret is kept',
      since: null,
      advice: `See whether the service of the root key "${vault.rootKeyId}" answers; the log says what it said.`,
      docs: 'docs/guides/vault.md',
    });
  }
  if (redis !== null && !redis.isWell) {
    problems.push({
      code: 'redis.unreachable',
      severity: 'degraded',
      what: 'Redis does not answer as it should: this replica counts limits for itself',
      since: null,
      advice: 'See whether the server of SALLYPORT_REDIS_URL runs; it is asked again by itself.',
      docs: 'docs/guides/policy.md#limits',
    });
  }
  if (vault.besideData !== null) {
    const where = vault.besideData === 'file' ? 'in the data directory' : 'in the database';
    problems.push({
      code: 'vault.root_key_beside_data',
      severity: 'notice',
      what: `the root key lies ${where}, beside what it seals: whoever copies the one has the other`,
      since: null,
      advice: 'Name a root key of your own, or of a key service; what is sealed moves to it by itself.',
      docs: 'docs/guides/vault.md#choose-a-root-key',
    });
  }
  return problems;
}

export function sourceProblems({ unhealthy }: StatusSources): StatusProblem[] {
  return unhealthy.map(({ id, message, since, failed_step }) => ({
    code: 'source.unhealthy',
    severity: 'degraded',
    what: `the source ${id} cannot be called: ${message}`,
    since,
    advice: adviceOf(failed_step),
    docs: 'docs/guides/sources.md',
  }));
}

function adviceOf(step: string | null): string {
  return (
    sourceAdvice[step ?? ''] ??
    'Read what is said of it; GET /v1/workers/{id}/health looks at it again at once, and it is looked at again by itself.'
  );
}

/** By the step that fails. */
const sourceAdvice: Readonly<Record<string, string>> = {
  address_resolved: 'Correct the host in its address, or the name service of this machine.',
  egress_allowed:
    'Where the address is meant to be internal, name it in egress.allow or SALLYPORT_EGRESS_ALLOW, or declare the source in the config file.',
  connected: 'See whether it runs, listens at this address and can be reached from here.',
  authenticated:
    'Give it the secret, the header or the consent that it wants; it refused the one that it got.',
  tools_fetched: 'Look into its own log: it is reached, and does not list its tools as its protocol says.',
  tools_valid: 'Correct the definitions of its tools that are named here.',
};

export function hookProblems(failing: Hooks): StatusProblem[] {
  return failing.map(({ plugin_id, name, health }) => ({
    code: 'hook.failing',
    severity: 'degraded',
    what: `the hook server ${name} (${plugin_id}) says of itself: ${health}`,
    since: null,
    advice: 'Calls that it must be asked about are refused meanwhile, where its failure_mode is fail_closed.',
    docs: 'docs/guides/policy.md#hooks',
  }));
}

/** Codes of refusals that are nobody's fault who is refused. */
const foreign = [
  {
    codes: ['sign_in.source_unreachable', 'sign_in.source_misconfigured', 'sign_in.answer_invalid'],
    code: 'user_source.failing',
    who: 'an issuer by which people sign in',
    advice: 'POST /v1/user_sources/{id}/test tries it out step by step.',
    docs: 'docs/guides/sign-in.md#when-it-does-not-work',
  },
  {
    codes: ['credentials.provider_unavailable'],
    code: 'auth_provider.failing',
    who: 'a provider of users’ accounts',
    advice:
      'The records of these calls name it (GET /v1/audit_events?code=credentials.provider_unavailable).',
    docs: 'docs/guides/credentials.md#when-it-fails',
  },
] as const;

/** What only shows in what was refused. */
export function refusalProblems({ byCode, windowMs }: Traffic): StatusProblem[] {
  return foreign.flatMap(({ codes, code, who, advice, docs }) => {
    const seen = codes.filter((one) => (byCode.get(one) ?? 0) > 0);
    if (seen.length === 0) return [];
    const count = seen.reduce((sum, one) => sum + (byCode.get(one) ?? 0), 0);
    const what = `${who} did not answer as it should, ${count} times in the last ${Math.ceil(windowMs / 1000)} s (${seen.join(', ')})`;
    return [{ code, severity: 'degraded', what, since: null, advice, docs }];
  });
}
