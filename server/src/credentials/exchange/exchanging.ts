import type { TokenExchangeSettings } from '@sallyport/contracts';
import type { Caller, Credential, Refusal } from '#domain';
import type { Egress } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Problem } from '../authority.ts';
import { headerOf } from '../oauth2/entry.ts';
import { createFetchOf, createSend } from '../oauth2/request.ts';
import type { AuthProvider, Providers } from '../providers/contract.ts';
import type { NoSubject, Subject, Subjects } from './contract.ts';
import type { Exchanged } from './kept.ts';
import { type About, noSubject, refusalOfProblem, refusalOfSubject } from './refusals.ts';
import { exchangeAt } from './request.ts';
import type { Got, TokenShelf } from './shelf.ts';

export interface ExchangingDeps {
  readonly providers: Pick<Providers, 'secretsOf' | 'redirectUriOf'>;
  readonly subjects: Subjects;
  readonly shelf: TokenShelf;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly issuer: () => string;
}

type Authorization = NonNullable<Credential['authorization']>;

/** A token for whom, and what. */
export interface ExchangeAsked {
  readonly caller: Caller;
  readonly provider: AuthProvider;
  readonly scopes: readonly string[];
  /** Of the MCP server that gets it, where one does. */
  readonly resource: string | null;
  /** A token that was refused over there. */
  readonly refused: string | null;
}

/** What calls carry that is got for the user's own sign-in, without asking the user. */
export interface Exchanging {
  authorization(asked: ExchangeAsked): Promise<Result<Authorization, Refusal>>;
  /** Of memory; `null`: there is none. */
  known(asked: ExchangeAsked): Authorization | null;
}

export function createExchanging(deps: ExchangingDeps): Exchanging {
  const { providers, subjects, shelf, clock, egress } = deps;
  const send = createSend(createFetchOf(egress));

  function nameOf({ provider, scopes, resource }: ExchangeAsked, subject: string): string {
    const { projectId, id, updatedAt, written } = provider;
    const stamp = [updatedAt, written.token_exchange];
    return JSON.stringify(['provider', projectId, id, stamp, subject, [...scopes].sort(), resource]);
  }

  async function exchanged(asked: ExchangeAsked, about: About): Promise<Result<Got, Refusal>> {
    const { provider, resource } = asked;
    const settings = provider.written.token_exchange as TokenExchangeSettings;
    const complete = { ...settings, ...resourceIn(settings, resource) };
    const subject = await subjectFor(asked, complete, subjects);
    if (!subject.ok) return err(refusalOfSubject(about, subject.error));
    const { clientSecret } = await providers.secretsOf(provider);
    const redirectUri = providers.redirectUriOf(provider.projectId, provider.id);
    const answer = await exchangeAt(
      send,
      {
        told: { provider, doing: 'token_exchange', redirectUri },
        settings: complete,
        clientSecret,
        subject: subject.value,
        scopes: about.scopes,
      },
      clock.now(),
    );
    if (!answer.ok) return err(await refused(asked, about, answer.error));
    const { accessToken: token, scopes, expiresAtMs } = answer.value;
    return ok({ token, scopes: scopes ?? about.scopes, expiresAtMs, signInId: subject.value.signInId });
  }

  /** Where the user signs in again, should that help. */
  async function refused(asked: ExchangeAsked, about: About, problem: Problem): Promise<Refusal> {
    const source = await subjects.sourceOf(asked.caller, asked.provider.projectId);
    return refusalOfProblem(about, problem, source);
  }

  function carried({ provider }: ExchangeAsked, { token, scopes }: Exchanged): Authorization {
    const { id, providerId, written } = provider;
    const header = headerOf(provider, token);
    const of = { id, providerId, clientId: written.token_exchange?.client_id ?? null, scopes };
    return { token, userInfo: {}, provider: of, ...(header === null ? {} : { header }) };
  }

  return {
    async authorization(asked) {
      const { caller, provider } = asked;
      const subject = subjects.nameOf(caller);
      if (subject === null) return err(noSubject(provider));
      const { label, id, written } = provider;
      const scopes = asked.scopes.length > 0 ? asked.scopes : (written.token_exchange?.scopes ?? []);
      const about = { label, id, subject, scopes, issuer: deps.issuer() };
      const get = () => exchanged(asked, about);
      const given = await shelf.token(
        nameOf(asked, subject),
        subject,
        { token: asked.refused, isInsufficient: false },
        get,
      );
      return given.ok ? ok(carried(asked, given.value)) : given;
    },
    known(asked) {
      const subject = subjects.nameOf(asked.caller);
      const found = subject === null ? null : shelf.get(nameOf(asked, subject));
      return found === null ? null : carried(asked, found);
    },
  };
}

/** An MCP server is what the token is for, unless something else is said; of who gives it, where it is. */
function resourceIn(settings: TokenExchangeSettings, resource: string | null) {
  if (settings.profile !== 'id_jag') return {};
  const audience = settings.audience ?? new URL(settings.token_endpoint).origin;
  const of = settings.resource ?? resource;
  return { audience, ...(of === null ? {} : { resource: of }) };
}

async function subjectFor(
  { caller, provider, scopes }: ExchangeAsked,
  settings: TokenExchangeSettings,
  subjects: Subjects,
): Promise<Result<Subject, NoSubject>> {
  const { projectId } = provider;
  const { profile, audience = '', resource = null, assertion_endpoint: endpoint = null } = settings;
  const kind = settings.subject_token ?? (profile === 'id_jag' ? 'id_token' : 'access_token');
  if (profile !== 'id_jag') return subjects.token(caller, projectId, kind);
  const asked = {
    kind,
    audience,
    resource,
    endpoint,
    scopes: scopes.length > 0 ? scopes : (settings.scopes ?? []),
  };
  const given = await subjects.identityAssertion(caller, projectId, asked);
  return given.ok ? ok({ token: given.value.assertion, kind: 'jwt', signInId: given.value.signInId }) : given;
}
