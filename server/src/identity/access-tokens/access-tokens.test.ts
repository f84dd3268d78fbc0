import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Gateway, Refusal } from '#domain';
import { createEgress } from '#egress';
import { type MaybePromise, manualClock, type Result } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { saidBy, saidByLink, signIn, type TokenOptions, tokenFor } from '../../../test/access-token.ts';
import { openTestDatabase } from '../../../test/database.ts';
import type { Identity } from '../contract.ts';
import { createIdentity } from '../identity.ts';
import type { UserSource } from '../user-sources/contract.ts';
import { type AccessTokensDeps, createAccessTokens } from './access-tokens.ts';
import type { AccessTokens } from './contract.ts';

const issuer = 'https://gateway.example';
const egress = createEgress({ allow: [] });
let db: Db;
let clock: ReturnType<typeof manualClock>;
let changes: Changes;
let identity: Identity;
let sources: Map<string, UserSource>;
let tokens: AccessTokens;
/** Another replica of the same database. */
let elsewhere: AccessTokens;
let elsewhereChanges: Changes;

before(async () => {
  db = await openTestDatabase();
});
after(async () => {
  egress.close();
  await db.close();
});
beforeEach(async () => {
  const tables = [
    'oauth_records',
    'sign_ins',
    'memberships',
    'person_identities',
    'people',
    'service_accounts',
  ];
  for (const table of tables) await db.query(`delete from ${table}`);
  sources = new Map([['default/corp', sourceLike()]]);
  clock = manualClock();
  ({ changes, identity, tokens } = await replica());
  await identity.signingKeys.ready();
  ({ changes: elsewhereChanges, tokens: elsewhere } = await replica());
});

async function replica() {
  const changes = await openChanges(db, { clock, log: silentLog }, true);
  const identity = await createIdentity({
    exchangesTokens: () => false,
    db,
    vault: await openVault({ db, clock }),
    changes,
    egress,
    clock,
    log: silentLog,
    issuer: () => issuer,
  });
  const userSources = {
    get: (projectId: string, id: string) => sources.get(`${projectId}/${id}`) ?? null,
  } as AccessTokensDeps['userSources'];
  const deps = { ...identity, userSources, db, changes, clock, issuer: () => issuer };
  return { changes, identity, tokens: createAccessTokens(deps) };
}

function sourceLike(more: Partial<UserSource> = {}): UserSource {
  return {
    id: 'corp',
    projectId: 'default',
    issuer: 'https://idp.example',
    name: 'Corp',
    preset: null,
    userClaim: 'login',
    status: 'active',
    ...more,
  } as UserSource;
}

function gatewayLike(more: Partial<Gateway> = {}): Gateway {
  return {
    id: 'gw_1',
    projectId: 'default',
    slug: 'tools',
    status: 'active',
    authTypes: ['user_source'],
    userSourceIds: ['corp'],
    ...more,
  } as Gateway;
}
const bySource = gatewayLike();
const byArcade = gatewayLike({ authTypes: ['arcade'], userSourceIds: [] });

const sign = (
  who: Parameters<typeof tokenFor>[1],
  gateway: Gateway | null = bySource,
  more: Partial<TokenOptions> = {},
) => tokenFor(identity, who, gateway, { issuer, clock, ...more });

async function codeOf(result: MaybePromise<Result<unknown, Refusal>>): Promise<string> {
  const awaited = await result;
  return awaited.ok ? 'ok' : awaited.error.code;
}

describe('an access token', () => {
  it('lets the person in as whom their issuer names, with groups, claims, client and scopes', async () => {
    const who = await signIn(identity);
    const entered = await tokens.enter(await sign(who), bySource);
    assert.ok(entered.ok);
    const { userId, groups, claims, clientId, scopes, principal } = entered.value;
    assert.equal(userId, 'ada');
    assert.deepEqual(groups, ['engineers']);
    assert.deepEqual({ ...claims }, { department: 'engines', login: 'ada' });
    assert.equal(clientId, 'https://client.example/metadata.json');
    assert.deepEqual([...(scopes ?? [])], ['openid', 'mcp']);
    assert.equal(principal.kind, 'person');
    assert.equal(principal.id, who.person.id);
    assert.equal(principal.projectId, 'default');
    assert.deepEqual([...principal.permissions].sort(), ['call', 'read']);
    assert.equal(principal.users?.matches('ada'), true);
    assert.equal(principal.users?.matches('adam'), false);
  });

  it('that was checked is let in at once, without the database', async () => {
    const token = await sign(await signIn(identity));
    const first = await tokens.enter(token, bySource);
    const again = tokens.enter(token, bySource);
    assert.ok(!(again instanceof Promise));
    assert.equal(again, first);
  });

  it('of a renewal, and of another sign-in, is the same principal', async () => {
    const one = await signIn(identity);
    const two = await signIn(identity);
    const entered = [];
    for (const who of [one, one, two]) entered.push(await tokens.enter(await sign(who), bySource));
    const ids = entered.map((result) => result.ok && `${result.value.principal.id} ${result.value.userId}`);
    assert.equal(new Set(ids).size, 1);
    assert.equal(ids[0], `${one.person.id} ada`);
  });

  it('adds the groups that the directory has to those of the sign-in', async () => {
    const who = await signIn(identity);
    const token = await sign(who);
    await tokens.enter(token, bySource);
    await db.query(
      `insert into directory_groups (id, organization_id, display_name, name_key, created_at, updated_at)
       values ('grp_1', 'default', 'admins', 'admins', now(), now()),
         ('grp_2', 'default', 'engineers', 'engineers', now(), now())
       on conflict do nothing`,
    );
    await db.query(
      `insert into directory_group_members (group_id, person_id) values ('grp_1', $1), ('grp_2', $1)`,
      [who.person.id],
    );
    await changes.tell(db, 'people', who.person.id);
    await changes.look();
    const entered = await tokens.enter(token, bySource);
    assert.deepEqual(entered.ok && [...entered.value.groups].sort(), ['admins', 'engineers']);
    await db.query('delete from directory_group_members');
  });

  it('holds at a replica that has not heard of its person yet', async () => {
    const who = await signIn(identity, saidBy(), 'member');
    assert.equal(await codeOf(elsewhere.enter(await sign(who, byArcade), byArcade)), 'ok');
  });

  it('holds until its last second, and not in the next', async () => {
    const token = await sign(await signIn(identity));
    clock.advance(3_599_999);
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
    clock.advance(1);
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_expired');
    assert.equal(await codeOf(elsewhere.enter(token, bySource)), 'identity.token_expired');
  });

  it('holds no longer than its sign-in, whatever it says itself', async () => {
    const exp = clock.now() / 1000 + 90 * 86_400;
    const token = await sign(await signIn(identity), bySource, { claims: { exp } });
    clock.advance(30 * 86_400_000 - 1);
    await changes.look();
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
    clock.advance(1);
    // A sign-in that is over is cleared away meanwhile: then nothing is known of when it was.
    assert.match(await codeOf(tokens.enter(token, bySource)), /^identity\.token_(expired|invalid)$/);
  });
});

describe('an access token is refused', () => {
  const wrong: Record<string, Partial<TokenOptions>> = {
    'of another issuer': { claims: { iss: 'https://evil.example' } },
    'for another gateway': { claims: { aud: `${issuer}/mcp/other` } },
    'for the API': { claims: { aud: `${issuer}/v1` } },
    'for several audiences': { claims: { aud: [`${issuer}/mcp/tools`, 'https://evil.example'] } },
    'for a gateway that had this slug before': { claims: { gateway: 'gw_before' } },
    'that names no gateway': { claims: { gateway: undefined } },
    'without an audience': { claims: { aud: undefined } },
    'without an end': { claims: { exp: undefined } },
    'without a client': { claims: { client_id: undefined } },
    'without a principal': { claims: { principal: undefined } },
    'with a scope that is no text': { claims: { scope: ['mcp'] } },
    'of the sign-in of somebody else': { claims: { principal: 'usr_somebody' } },
    'of a person without a sign-in': { claims: { sid: undefined } },
    'of a sign-in that never was': { claims: { sid: 'sgn_unknown' } },
    'of a grant that is not there': { claims: { grant: 'unknown' } },
    'that begins to hold later': { claims: { nbf: Date.UTC(2030, 0, 1) / 1000 } },
    'of another kind: an ID token': { header: { typ: 'JWT' } },
    'of no kind': { header: { typ: undefined } },
    'of a key that is not ours': { header: { kid: 'unknown' } },
  };
  for (const [name, options] of Object.entries(wrong)) {
    it(name, async () => {
      const who = await signIn(identity);
      const token = await sign(who, bySource, options);
      for (const _time of ['first', 'again']) {
        assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_invalid');
      }
    });
  }

  it('signed with the public key as a secret, or not at all', async () => {
    const { SignJWT, UnsecuredJWT, exportSPKI, importJWK } = await import('jose');
    const token = await sign(await signIn(identity));
    const [, payload] = token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const [key] = await identity.signingKeys.ready();
    assert.ok(key !== undefined);
    const { n, e, kty } = key.jwk as Record<string, string>;
    const spki = await exportSPKI((await importJWK({ n, e, kty } as never, 'RS256')) as never);
    for (const secret of [spki, n as string, JSON.stringify({ kty, n, e })]) {
      const confused = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })
        .sign(Buffer.from(secret));
      assert.equal(await codeOf(tokens.enter(confused, bySource)), 'identity.token_invalid');
    }
    const none = new UnsecuredJWT(claims).encode();
    assert.equal(await codeOf(tokens.enter(none, bySource)), 'identity.token_invalid');
  });

  it('with any byte of it changed', async () => {
    const token = await sign(await signIn(identity));
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
    for (let at = 3; at < token.length - 1; at += 17) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const tampered = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
      assert.equal(await codeOf(tokens.enter(tampered, bySource)), 'identity.token_invalid', `byte ${at}`);
    }
  });

  it('that is huge, and is not even looked at', () => {
    const refused = tokens.enter(`eyJ${'A'.repeat(9000)}.e30.`, bySource);
    assert.ok(!(refused instanceof Promise) && !refused.ok);
    assert.equal(refused.error.code, 'identity.token_invalid');
  });

  it('without saying in the answer why, nor repeating anything of it', async () => {
    const token = await sign(await signIn(identity), bySource, { claims: { aud: 'https://evil.example' } });
    const refused = await tokens.enter(token, bySource);
    assert.ok(!refused.ok);
    assert.equal(refused.error.message, 'this access token does not hold here: sign in again');
    assert.doesNotMatch(JSON.stringify(refused.error), /evil|eyJ/);
  });

  it('however many there are, none is remembered', async () => {
    const token = await sign(await signIn(identity));
    await tokens.enter(token, bySource);
    const before = tokens.remembered();
    for (let count = 0; count < 1000; count++) {
      const bad = `${token.slice(0, token.lastIndexOf('.'))}.${count.toString().padStart(342, 'A')}`;
      assert.ok(!(await tokens.enter(bad, bySource)).ok);
    }
    assert.equal(tokens.remembered(), before);
  });
});

describe('what a gateway takes', () => {
  it('by user_source: whoever signed in by one of its sources, without any role', async () => {
    const token = await sign(await signIn(identity));
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
    const others: Partial<Gateway>[] = [
      { userSourceIds: ['other'] },
      { userSourceIds: [] },
      { authTypes: ['arcade_header'] },
      { authTypes: ['arcade'] },
    ];
    for (const other of others) {
      assert.equal(await codeOf(tokens.enter(token, gatewayLike(other))), 'identity.token_invalid');
    }
  });

  it('by arcade: people with a role in its project, by their e-mail address', async () => {
    const who = await signIn(identity);
    const token = await sign(who, byArcade);
    assert.equal(await codeOf(tokens.enter(token, byArcade)), 'identity.token_invalid');
    await identity.people.setRole(
      who.person.id,
      { organizationId: 'default', projectId: 'default' },
      'editor',
    );
    const entered = await tokens.enter(token, byArcade);
    assert.ok(entered.ok);
    assert.equal(entered.value.userId, 'ada@example.com');
    assert.ok(entered.value.principal.permissions.has('configure'));
    await identity.people.setRole(who.person.id, { organizationId: 'default', projectId: 'default' }, null);
    assert.equal(await codeOf(tokens.enter(token, byArcade)), 'identity.token_invalid');
  });

  it('by both: a source of the gateway names the user, another one of the project its members', async () => {
    sources.set('default/partner', sourceLike({ id: 'partner', issuer: 'https://partner.example' }));
    const both = gatewayLike({ authTypes: ['arcade', 'user_source', 'arcade_header'] });
    const ada = await signIn(identity, saidBy(), 'member');
    const partner = saidBy({
      sourceId: 'partner',
      issuer: 'https://partner.example',
      subject: 'bob',
      userId: 'b-17',
      email: 'bob@example.com',
    });
    const bob = await signIn(identity, partner, 'member');
    const asAda = await tokens.enter(await sign(ada, both), both);
    const asBob = await tokens.enter(await sign(bob, both), both);
    assert.equal(asAda.ok && asAda.value.userId, 'ada');
    assert.equal(asBob.ok && asBob.value.userId, 'bob@example.com');
  });

  it('a link lets in members, and nobody where only a source counts', async () => {
    const who = await signIn(identity, saidByLink('owner@example.com'), 'owner');
    assert.equal(await codeOf(tokens.enter(await sign(who, byArcade), byArcade)), 'ok');
    assert.equal(await codeOf(tokens.enter(await sign(who), bySource)), 'identity.token_invalid');
  });

  it('no source of the same name in another project, or of another issuer', async () => {
    sources.set('other/corp', sourceLike({ projectId: 'other' }));
    const foreign = await signIn(identity, saidBy({ projectId: 'other' }), 'member');
    for (const gateway of [bySource, byArcade]) {
      assert.equal(
        await codeOf(tokens.enter(await sign(foreign, gateway), gateway)),
        'identity.token_invalid',
      );
    }
    const token = await sign(await signIn(identity));
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
    sources.set('default/corp', sourceLike({ issuer: 'https://evil.example' }));
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_invalid');
  });

  it('service accounts of its project, while they are active', async () => {
    const { account } = await identity.serviceAccounts.create(
      { projectId: 'default', name: 'nightly', description: '', jwks: null, role: 'member' },
      { withSecret: false },
    );
    const token = await sign({ serviceAccountId: account.id });
    const entered = await tokens.enter(token, bySource);
    assert.ok(entered.ok);
    assert.equal(entered.value.userId, account.id);
    assert.equal(entered.value.principal.kind, 'service_account');
    const elsewhere = gatewayLike({ projectId: 'other' });
    assert.equal(await codeOf(tokens.enter(token, elsewhere)), 'identity.token_invalid');
    await identity.serviceAccounts.update('default', account.id, { active: false });
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_invalid');
  });

  it('is the same before there is a token', async () => {
    const { signIn: ada } = await signIn(identity);
    assert.deepEqual(tokens.admits(ada, bySource), { ok: true, value: { userId: 'ada' } });
    assert.equal(tokens.admits(ada, byArcade).ok, false);
  });
});

describe('an access token ends', () => {
  it('with its sign-in: at once here, and elsewhere when it is heard', async () => {
    const who = await signIn(identity);
    const token = await sign(who);
    for (const replica of [tokens, elsewhere]) assert.ok((await replica.enter(token, bySource)).ok);
    await identity.signIns.end(who.signIn.id);
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_invalid');
    await elsewhereChanges.look();
    assert.equal(await codeOf(elsewhere.enter(token, bySource)), 'identity.token_invalid');
  });

  it('with its grant, and no other does', async () => {
    const who = await signIn(identity);
    for (const id of ['g1', 'g2']) {
      await db.query(`insert into oauth_records (model, id, payload) values ('Grant', $1, '{}')`, [id]);
    }
    const [one, two] = [
      await sign(who, bySource, { claims: { grant: 'g1' } }),
      await sign(who, bySource, { claims: { grant: 'g2' } }),
    ];
    for (const token of [one, two]) assert.ok((await tokens.enter(token, bySource)).ok);
    await db.query(`delete from oauth_records where id = 'g1'`);
    await changes.here('grants', 'g1');
    assert.equal(await codeOf(tokens.enter(one, bySource)), 'identity.token_invalid');
    assert.equal(await codeOf(tokens.enter(two, bySource)), 'ok');
  });

  it('when its person is deactivated, and holds again when they are back', async () => {
    const who = await signIn(identity);
    const token = await sign(who);
    for (const replica of [tokens, elsewhere]) assert.ok((await replica.enter(token, bySource)).ok);
    await identity.people.setActive('default', who.person.id, false);
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.deactivated');
    await elsewhereChanges.look();
    assert.equal(await codeOf(elsewhere.enter(token, bySource)), 'identity.deactivated');
    const unseen = await sign(who);
    assert.equal(await codeOf(tokens.enter(unseen, bySource)), 'identity.deactivated');
    await identity.people.setActive('default', who.person.id, true);
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
    assert.equal(await codeOf(tokens.enter(unseen, bySource)), 'ok');
  });

  it('when its source is not active any more', async () => {
    const token = await sign(await signIn(identity));
    assert.ok((await tokens.enter(token, bySource)).ok);
    sources.set('default/corp', sourceLike({ status: 'inactive' }));
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_invalid');
  });

  it('when its source names people by another claim, and holds again where it is the one before', async () => {
    const claims = { login: 'ada', employee: 'e-1' };
    const token = await sign(await signIn(identity, saidBy({ claims })));
    assert.ok((await tokens.enter(token, bySource)).ok);
    for (const userClaim of ['employee', 'which.nobody.has', 'sub']) {
      sources.set('default/corp', sourceLike({ userClaim }));
      assert.equal(await codeOf(tokens.enter(token, bySource)), 'identity.token_invalid');
    }
    sources.set('default/corp', sourceLike());
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
  });

  it('when its gateway has another slug, project or kind of sign-in', async () => {
    const token = await sign(await signIn(identity));
    assert.ok((await tokens.enter(token, bySource)).ok);
    const changed: Partial<Gateway>[] = [
      { slug: 'tools-2' },
      { projectId: 'other' },
      { authTypes: ['arcade_header'] },
    ];
    for (const change of changed) {
      assert.equal(await codeOf(tokens.enter(token, gatewayLike(change))), 'identity.token_invalid');
    }
    assert.equal(await codeOf(tokens.enter(token, bySource)), 'ok');
  });

  it('for a stream that is open, too', async () => {
    const who = await signIn(identity);
    const token = await sign(who);
    const entered = await tokens.enter(token, bySource);
    assert.ok(entered.ok);
    assert.ok(tokens.still(entered.value, bySource).ok);
    await identity.signIns.end(who.signIn.id);
    assert.equal(tokens.still(entered.value, bySource).ok, false);
  });

  it('for a stream when it expires', async () => {
    const entered = await tokens.enter(await sign(await signIn(identity)), bySource);
    assert.ok(entered.ok);
    clock.advance(3_600_000);
    assert.equal(await codeOf(tokens.still(entered.value, bySource)), 'identity.token_expired');
  });
});

describe('an access token for the API', () => {
  const nowhere = { organizationId: null, projectId: null };
  const here = { organizationId: null, projectId: 'default' };

  it('is what the person may do in the project', async () => {
    const who = await signIn(identity, saidBy(), 'auditor');
    const found = await tokens.principal(await sign(who, null), here);
    assert.ok(found.ok);
    assert.deepEqual([...found.value.permissions].sort(), ['audit', 'inspect', 'read']);
    const first = await tokens.principal(await sign(who, null), nowhere);
    assert.equal(first.ok && first.value.projectId, 'default');
  });

  it('tells nobody of a project where they have no role', async () => {
    const who = await signIn(identity);
    const token = await sign(who, null);
    for (const projectId of ['default', 'unknown']) {
      const found = await tokens.principal(token, { organizationId: null, projectId });
      assert.ok(!found.ok);
      assert.deepEqual(
        [found.error.code, found.error.message],
        ['resource.unknown', 'there is no such project'],
      );
    }
    const elsewhere = await tokens.principal(token, { organizationId: 'org_other', projectId: null });
    assert.equal(await codeOf(elsewhere), 'resource.unknown');
    const somebody = await tokens.principal(token, nowhere);
    assert.equal(somebody.ok && somebody.value.permissions.size, 0);
  });

  it('is none for a gateway, nor the other way round', async () => {
    const who = await signIn(identity, saidBy(), 'admin');
    assert.equal(await codeOf(tokens.principal(await sign(who, bySource), here)), 'identity.token_invalid');
    assert.equal(await codeOf(tokens.enter(await sign(who, null), bySource)), 'identity.token_invalid');
  });

  it('of a sign-in by a link of one project opens no other, and nothing of owners', async () => {
    const two = await identity.people.createProject('default', 'Two');
    const said = { ...saidByLink('guest@example.com'), projectId: two.id };
    const who = await signIn(identity, said, 'owner');
    const token = await sign(who, null);
    const there = await tokens.principal(token, { organizationId: null, projectId: two.id });
    assert.deepEqual(
      there.ok && [there.value.permissions.has('administer'), there.value.permissions.has('own')],
      [true, false],
    );
    assert.equal(await codeOf(tokens.principal(token, here)), 'resource.unknown');
    assert.equal(await codeOf(tokens.enter(await sign(who, byArcade), byArcade)), 'identity.token_invalid');
  });

  it('of a sign-in by the source of one project opens no other', async () => {
    const organization = await identity.people.createOrganization('Other');
    const one = await identity.people.createProject(organization.id, 'One');
    clock.advance(1);
    const two = await identity.people.createProject(organization.id, 'Two');
    sources.set(`${two.id}/corp`, sourceLike({ projectId: two.id }));
    const said = saidBy({ organizationId: organization.id, projectId: two.id });
    const who = await signIn(identity, said, 'owner');
    const token = await sign(who, null);
    assert.equal(await codeOf(tokens.principal(token, { organizationId: null, projectId: two.id })), 'ok');
    assert.equal(
      await codeOf(tokens.principal(token, { organizationId: null, projectId: one.id })),
      'resource.unknown',
    );
  });
});

describe('who came by a token is known again without it, in any process', () => {
  async function remembered(role: 'editor' | null = null) {
    const who = await signIn(identity, saidBy(), role);
    await db.query("insert into oauth_records (model, id, payload) values ('Grant', 'g1', '{}')");
    const entered = await tokens.enter(await sign(who, bySource, { claims: { grant: 'g1' } }), bySource);
    assert.ok(entered.ok);
    const caller = entered.value;
    const grantId = tokens.grantOf(caller);
    assert.equal(grantId, 'g1');
    const { principal, clientId = '', scopes } = caller;
    const token = { principalId: principal.id, signInId: who.signIn.id, grantId, clientId };
    return { who, caller, token: { ...token, scopes: [...(scopes ?? [])] } };
  }

  it('as the same caller, after the token has expired too', async () => {
    const { caller, token } = await remembered();
    clock.advance(20 * 60_000);
    const again = await elsewhere.callerAgain(token, bySource);
    assert.ok(again.ok);
    const { userId, groups, scopes, signInId, personId } = again.value;
    assert.deepEqual(
      [userId, groups, scopes, signInId, personId, again.value.clientId],
      [caller.userId, caller.groups, caller.scopes, caller.signInId, caller.personId, caller.clientId],
    );
  });

  it('on the API with the role that they have by then', async () => {
    const { who, token } = await remembered('editor');
    const editor = await elsewhere.principalAgain(token, 'default');
    assert.ok(editor.ok && editor.value.permissions.has('configure'));
    await identity.people.setRole(
      who.person.id,
      { organizationId: 'default', projectId: 'default' },
      'member',
    );
    await elsewhereChanges.look();
    const member = await tokens.principalAgain(token, 'default');
    assert.ok(member.ok && !member.value.permissions.has('configure'));
  });

  it('not once the sign-in, the grant or the gateway has ended', async () => {
    const { who, token } = await remembered();
    const other = gatewayLike({ id: 'gw_2', slug: 'other', userSourceIds: [] });
    for (const closed of [other, gatewayLike({ status: 'inactive' })])
      assert.equal(await codeOf(elsewhere.callerAgain(token, closed)), 'identity.token_invalid');
    assert.equal(await codeOf(elsewhere.callerAgain(token, bySource)), 'ok');
    await db.query("delete from oauth_records where id = 'g1'");
    assert.equal(await codeOf(elsewhere.callerAgain(token, bySource)), 'identity.token_invalid');
    const withoutGrant = { ...token, grantId: null };
    assert.equal(await codeOf(elsewhere.callerAgain(withoutGrant, bySource)), 'ok');
    await identity.signIns.end(who.signIn.id);
    assert.equal(await codeOf(elsewhere.callerAgain(withoutGrant, bySource)), 'identity.token_invalid');
  });
});
