import { type Clock, createSingleFlight, err, ok, pause, type Result } from '#foundation';
import type { Db } from '#storage';
import { createMetrics, type Metrics } from '#telemetry';
import type { Vault } from '#vault';
import type { UserSources } from '../user-sources/contract.ts';
import type {
  IssuerToken,
  IssuerTokens,
  NoSubjectToken,
  SignIn,
  SignIns,
  SubjectToken,
  SubjectTokenKind,
} from './contract.ts';
import { createTokensStore, type TokensRow } from './tokens-store.ts';

export interface KeptTokensDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  readonly userSources: Pick<UserSources, 'get' | 'renewTokens'>;
  /** Whether the project exchanges tokens of its users' sign-ins; else none are kept. */
  readonly exchangesTokens: (projectId: string) => boolean;
}

/** Tokens that issuers gave at sign-ins: sealed, with the row of the sign-in, and gone with it. */
export interface KeptTokens extends Pick<SignIns, 'subjectToken'> {
  sealedFor(signIn: Pick<SignIn, 'id' | 'projectId'>, tokens: IssuerTokens | null): string;
}

const purpose = 'tokens of a sign-in';
/** A header of an issuer that gives more is not for us. */
const maxTokenLength = 32 * 1024;
/** What is over so soon may be over when it arrives. */
const earlyMs = 60_000;
const leaseMs = 45_000;
const lookAgainMs = 200;

type Renewed = Result<{ readonly row: TokensRow; readonly tokens: IssuerTokens } | null, NoSubjectToken>;

export function createKeptTokens(deps: KeptTokensDeps): KeptTokens {
  const { vault, clock, exchangesTokens } = deps;
  const store = createTokensStore(deps.db);
  const once = createSingleFlight<Renewed>();
  const renewals = (deps.metrics ?? createMetrics()).counter({
    name: 'sallyport_sign_in_refreshes_total',
    help: 'Tokens of sign-ins that were due for others, by what came of it.',
    labels: ['project', 'user_source', 'outcome'],
  });
  vault.keeps({ table: 'sign_ins', column: 'tokens_sealed' });

  const tokensIn = async ({ id, sealed }: TokensRow) =>
    (await vault.open(purpose, sealed, id)) as IssuerTokens | null;

  function current(token: IssuerToken | null | undefined): IssuerToken | null {
    return token != null && token.expiresAtMs > clock.now() + earlyMs ? token : null;
  }

  /** Once, whoever asks, wherever. */
  const renewed = (row: TokensRow) => once(row.id, () => renewOnce(row));

  async function renewOnce(stale: TokensRow): Promise<Renewed> {
    const giveUpMs = clock.now() + leaseMs;
    while (clock.now() < giveUpMs) {
      const row = await store.byId(stale.id, clock.iso());
      if (row === null) return nothing;
      const tokens = await tokensIn(row);
      if (tokens === null) return nothing;
      if (row.version !== stale.version) return ok({ row, tokens });
      const untilIso = new Date(clock.now() + leaseMs).toISOString();
      if (await store.lease(row, clock.iso(), untilIso)) return renewLeased(row, tokens);
      await pause(clock, lookAgainMs);
    }
    return err({ kind: 'passing', words: 'the sign-in is being renewed elsewhere for too long' });
  }

  async function renewLeased(row: TokensRow, { refreshToken }: IssuerTokens): Promise<Renewed> {
    const source = deps.userSources.get(row.projectId, row.sourceId);
    const isSame = source?.status === 'active' && source.issuer === row.issuer;
    if (!isSame || refreshToken === null) {
      await store.unlease(row);
      return nothing;
    }
    const given = await deps.userSources.renewTokens(source, refreshToken, row.subject);
    renewals.of(row.projectId, source.id, given.ok ? 'renewed' : given.error.kind).add();
    if (given.ok) {
      const tokens = { ...given.value, refreshToken: given.value.refreshToken ?? refreshToken };
      await store.save(row, sealed(vault, row.id, tokens));
      return ok({ row, tokens });
    }
    if (given.error.kind === 'sign_in') {
      await store.save(row, '');
      return nothing;
    }
    await store.unlease(row);
    return given;
  }

  async function tokenOf(
    row: TokensRow,
    kind: SubjectTokenKind,
  ): Promise<Result<SubjectToken | null, NoSubjectToken>> {
    const member = kind === 'id_token' ? 'idToken' : 'accessToken';
    const kept = await tokensIn(row);
    if (kept === null) return nothing;
    const found = current(kept[member]);
    if (found !== null) return ok({ ...found, signInId: row.id });
    if (kept.refreshToken === null) return nothing;
    const next = await renewed(row);
    if (!next.ok || next.value === null) return next as Result<null, NoSubjectToken>;
    const token = current(next.value.tokens[member]);
    return token === null ? nothing : ok({ ...token, signInId: row.id });
  }

  return {
    sealedFor: ({ id, projectId }, tokens) =>
      tokens === null || !exchangesTokens(projectId) ? '' : sealed(vault, id, tokens),
    async subjectToken(id, kind) {
      let problem: Result<null, NoSubjectToken> = nothing;
      for (const row of await store.usableFor(id, clock.iso())) {
        const found = await tokenOf(row, kind);
        if (found.ok && found.value !== null) return found;
        if (!found.ok) problem = found;
      }
      return problem;
    },
  };
}

function sealed(vault: Vault, id: string, { idToken, accessToken, refreshToken }: IssuerTokens): string {
  const fits = (token: IssuerToken | null) =>
    token !== null && token.token.length <= maxTokenLength ? token : null;
  const tokens: IssuerTokens = {
    idToken: fits(idToken),
    accessToken: fits(accessToken),
    refreshToken: (refreshToken ?? '').length <= maxTokenLength ? refreshToken : null,
  };
  return vault.seal(purpose, tokens, id);
}

const nothing = ok(null);
