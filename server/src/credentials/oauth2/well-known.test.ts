import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { OAuth2Settings } from '@sallyport/contracts';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { onLoopback } from '../../../test/oauth-providers/index.ts';
import { plain } from '../../../test/oauth-providers/plain.ts';
import { type Place, startStandIn } from '../../../test/oauth-providers/stand-in.ts';
import { knownProviders } from '../providers/known/known-providers.ts';
import type { KnownProvider } from '../providers/known-provider.ts';
import { atStandIn, registered, tokensOf, valueIn } from './fixtures/at-stand-in.ts';

const clock = manualClock();

/** What the addresses of a provider are for. */
function pathsOf(settings: OAuth2Settings): Record<string, Place> {
  const places = [
    [settings.revocation_request, 'revoke'],
    [settings.token_introspection_request, 'introspect'],
    [settings.user_info_request, 'user_info'],
    [settings.refresh_request, 'token'],
    [settings.token_request, 'token'],
    [settings.authorize_request, 'authorize'],
  ] as const;
  return Object.fromEntries(
    places.flatMap(([request, place]) =>
      request === undefined ? [] : [[new URL(request.endpoint).pathname, place]],
    ),
  );
}

function settingsOf({ id, variables = {} }: KnownProvider) {
  const given = Object.entries(variables).map(([name, { example }]) => [name, example]);
  const request = {
    provider_id: id,
    variables: Object.fromEntries(given),
    oauth2: { client_id: `${id}-client` },
  };
  const { oauth2 } = registered(request);
  assert.ok(oauth2);
  return { request, oauth2 };
}

describe('a provider by the book', () => {
  let egress: Egress;
  before(() => {
    egress = createEgress({ allow: ['127.0.0.1'] });
  });
  after(() => egress.close());

  for (const known of knownProviders) {
    it(`takes what ${known.label} is asked`, async (t) => {
      const { request, oauth2 } = settingsOf(known);
      const tokenBody = oauth2.token_request.request_content_type === 'application/json' ? 'json' : 'form';
      const standIn = await startStandIn(
        { ...plain, name: known.id, paths: pathsOf(oauth2), tokenBody, needsPkce: false, revokedBy: 'token' },
        { now: clock.now },
      );
      t.after(() => standIn.close());
      // The token is where the book has it, not where this provider has it.
      const { response_map: _, ...token_request } = onLoopback(oauth2, standIn.origin).token_request;
      const placed = { ...onLoopback(oauth2, standIn.origin), token_request };
      const { client_id, ...overlay } = { ...placed, client_secret: standIn.clientSecret };
      const own = {
        ...request,
        provider_id: undefined,
        variables: undefined,
        oauth2: { client_id, ...overlay },
      };
      const at = atStandIn(standIn, { egress, clock, given: own });
      const { held, answer, codeVerifier } = await at.goAndComeBack(
        ['one', 'two'],
        { as: 'ann', allow: true },
        ['two'],
      );
      assert.equal(answer.get('error'), null);
      const redirectUri = [...standIn.redirectUris][0] ?? '';
      const code = {
        code: answer.get('code') ?? '',
        iss: null,
        codeVerifier,
        redirectUri,
        scopes: ['one', 'two'],
      };
      const granted = valueIn(await at.authority.exchange(at.target, held, code));
      assert.equal(standIn.grantOf(granted.accessToken)?.user.login, 'ann');
      assert.equal(codeVerifier === null, oauth2.pkce?.enabled === false);
      if (oauth2.refresh_request !== undefined && oauth2.refresh_request.response_map === undefined) {
        const renewed = valueIn(await at.authority.renew(at.target, held, tokensOf(granted)));
        assert.notEqual(renewed.accessToken, granted.accessToken);
      }
      assert.ok((await at.authority.revoke(at.target, held, tokensOf(granted))).ok);
      for (const { query } of standIn.requests)
        assert.ok(!String(query).includes('secret'), 'a secret is in an address');
    });
  }
});
