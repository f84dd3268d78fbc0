import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Gateway } from '#domain';
import { systemClock } from '#foundation';
import type { Identity } from '#identity';
import { saidBy, saidByLink, signIn, tokenFor } from './access-token.ts';
import { type Replicas, startReplicas } from './replicas.ts';
import type { TestProcess } from './start-process.ts';

/** Two replicas, each a process, before one PostgreSQL server; what is revoked is revoked in a third place, this process. */

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
/** What both say that they are; each listens on a port of its own. */
const issuer = 'http://127.0.0.1:9099';
const within = 1000;

describe('what is revoked in one replica', {
  skip: server === undefined && 'needs a PostgreSQL server',
}, () => {
  let both: Replicas;
  let replicas: readonly TestProcess[];
  let identity: Identity;

  before(async () => {
    const gateways = 'gateways: [{ slug: people, auth_types: [arcade, arcade_header] }]';
    both = await startReplicas(server as string, issuer, gateways);
    ({ replicas, identity } = both);
  });
  after(async () => {
    await both?.close();
  });

  const gateway = { id: 'gw_file_people', slug: 'people' } as Gateway;

  async function statusAt({ url }: TestProcess, credential: string): Promise<number> {
    const answer = await fetch(`${url}/mcp/people`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${credential}`,
        ...(credential.startsWith('sp_') ? { 'arcade-user-id': 'ada' } : {}),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Until every replica answers so, or it took longer than was promised. */
  async function becomes(status: number, credential: string): Promise<void> {
    const startedAt = systemClock.monotonic();
    for (const replica of replicas) {
      for (;;) {
        const askedAt = systemClock.monotonic();
        if ((await statusAt(replica, credential)) === status) break;
        assert.ok(askedAt - startedAt <= within, `still not ${status} after ${within} ms`);
      }
    }
  }

  it('a sign-in: its tokens are taken at once by both, and by neither a second after it was ended', async () => {
    const who = await signIn(identity, saidByLink('ada@example.com'), 'member');
    const token = await tokenFor(identity, who, gateway, { issuer });
    for (const replica of replicas) assert.equal(await statusAt(replica, token), 200);
    await identity.signIns.end(who.signIn.id);
    await becomes(401, token);
  });

  it('a person: neither lets them in a second later, and both do when they are back', async () => {
    const who = await signIn(identity, saidByLink('bob@example.com'), 'member');
    const token = await tokenFor(identity, who, gateway, { issuer });
    for (const replica of replicas) assert.equal(await statusAt(replica, token), 200);
    await identity.people.setActive('default', who.person.id, false);
    await becomes(401, token);
    await identity.people.setActive('default', who.person.id, true);
    await becomes(200, token);
  });

  it('the role of a person', async () => {
    const who = await signIn(identity, saidByLink('eve@example.com'), 'member');
    const token = await tokenFor(identity, who, gateway, { issuer });
    for (const replica of replicas) assert.equal(await statusAt(replica, token), 200);
    await identity.people.setRole(who.person.id, { organizationId: 'default', projectId: 'default' }, null);
    await becomes(401, token);
  });

  it('an API key, which is known to both a second after it was made', async () => {
    const key = { projectId: 'default', name: 'k', scopes: ['call'] as const, serviceAccountId: null };
    const unrestricted = { users: null, gateways: null, tools: null, expiresAt: null };
    const made = await identity.createKey({ ...key, ...unrestricted });
    await becomes(200, made.plaintext);
    await identity.revokeKey('default', made.key.id);
    await becomes(401, made.plaintext);
  });

  it('a service account, by its token and its key', async () => {
    const { account } = await identity.serviceAccounts.create(
      { projectId: 'default', name: 'nightly', description: '', jwks: null, role: 'member' },
      { withSecret: false },
    );
    const token = await tokenFor(identity, { serviceAccountId: account.id }, gateway, { issuer });
    for (const replica of replicas) assert.equal(await statusAt(replica, token), 200);
    await identity.serviceAccounts.update('default', account.id, { active: false });
    await becomes(401, token);
  });

  it('nothing of somebody else', async () => {
    const who = await signIn(
      identity,
      saidBy({ subject: 'x', userId: 'x', email: 'x@example.com' }),
      'member',
    );
    const other = await signIn(identity, saidByLink('y@example.com'), 'member');
    const token = await tokenFor(identity, other, gateway, { issuer });
    for (const replica of replicas) assert.equal(await statusAt(replica, token), 200);
    await identity.signIns.end(who.signIn.id);
    await both.changes.look();
    for (const replica of replicas) assert.equal(await statusAt(replica, token), 200);
  });
});
