import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountProblem, sentenceOf } from './account-problem-page.ts';
import { askAccountPage, entryPage } from './ask-account-page.ts';
import { connectionsPage, type ShownAccount, type ShownProject } from './connections-page.ts';
import { documentOf } from './page.ts';
import { providerScopeWords } from './provider-scope-words.ts';

const asked = {
  label: 'GitHub',
  userId: 'ada@example.com',
  host: 'github.com',
  scopes: ['repo', 'weird:scope'],
  account: null,
};
const form = { action: '/connect/x', formToken: 't' };

test('who is asked sees for whom, where they sign in, and every scope, in words where it is known', async () => {
  const html = await documentOf(askAccountPage({ asked, ...form }));
  for (const part of [
    'Connect GitHub?',
    'ada@example.com',
    'github.com',
    'private ones too',
    '<code>repo</code>',
    '<code>weird:scope</code>',
  ]) {
    assert.ok(html.includes(part), part);
  }
});

test('the words of one provider are never used for the scope of another', () => {
  assert.equal(providerScopeWords('evil.example', 'repo'), null);
  assert.equal(providerScopeWords('evil.example', 'https://www.googleapis.com/auth/drive'), null);
  assert.equal(providerScopeWords(null, 'repo'), null);
  assert.match(providerScopeWords('github.com', 'repo') ?? '', /repositories/);
  assert.match(providerScopeWords('evil.example', 'openid') ?? '', /who you are/);
});

test('a thousand scopes do not make an endless page, and it says how many there are', async () => {
  const scopes = Array.from({ length: 1000 }, (_, index) => `scope-${index}`);
  const html = await documentOf(askAccountPage({ asked: { ...asked, scopes }, ...form }));
  assert.match(html, /and 970 more/);
  assert.equal([...html.matchAll(/scope-\d/g)].length, 30);
});

test('what is secret is entered hidden, filled in by nothing, and each problem stands by its field', async () => {
  const html = await documentOf(
    entryPage({
      asked: { ...asked, host: null },
      ...form,
      instructions: 'Find it under Settings.',
      fields: [
        { name: 'username', label: 'User name', isSecret: false },
        { name: 'password', label: 'Password', isSecret: true, problem: 'It is missing.' },
      ],
      problem: null,
    }),
  );
  assert.match(html, /<input type="text" id="entry_0" name="entry_username"[^>]* autocomplete="off"/);
  assert.match(
    html,
    /<input type="password" id="entry_1"[^>]* autocomplete="new-password"[^>]* aria-describedby="entry_1_problem"/,
  );
  assert.match(html, /id="entry_1_problem" role="alert">It is missing\./);
  assert.doesNotMatch(html, /<input type="(text|password)"[^>]* value=/);
});

test('a problem of this very case takes the place of the general words, as a sentence', async () => {
  const { status, page } = accountProblem({
    kind: 'failed',
    reason: 'GitHub did not take our client secret',
    advice: 'an administrator mends it',
    reference: 'ac_1',
  });
  const html = await documentOf(page);
  assert.equal(status, 400);
  assert.match(html, /GitHub did not take our client secret\./);
  assert.match(html, /An administrator mends it\./);
  assert.match(html, /ac_1/);
  assert.deepEqual([sentenceOf(''), sentenceOf('is it?')], ['', 'Is it?']);
});

const account: ShownAccount = {
  id: 'con_1',
  label: 'GitHub',
  name: 'octocat',
  userId: 'ada@example.com',
  works: true,
  isDefault: true,
  isOneOfSeveral: false,
  host: 'github.com',
  scopes: ['gist'],
  gateways: [],
  tools: [],
  createdAt: '2026-01-01T10:00:00.000Z',
  lastUsedAt: null,
};
const project: ShownProject = {
  id: 'default',
  name: 'Default',
  accounts: [account],
  providers: [],
  failures: [],
};
const connections = (projects: readonly ShownProject[]) =>
  documentOf(connectionsPage({ signedInAs: 'ada', formToken: 't', projects, notice: null }));

test('an account that is not accepted any more says so, and leads to the consent', async () => {
  const fine = await connections([project]);
  assert.match(fine, /works/);
  assert.doesNotMatch(fine, /needs you again/);
  const html = await connections([{ ...project, accounts: [{ ...account, works: false }] }]);
  assert.match(html, /needs you again/);
  assert.match(html, /action="\/connect\/again"/);
});

test('an account can become the default only where there are several, and it is none', async () => {
  const button = /Use by default/;
  assert.doesNotMatch(await connections([project]), button);
  const second = { ...account, id: 'con_2', isDefault: false, isOneOfSeveral: true };
  const html = await connections([{ ...project, accounts: [{ ...account, isOneOfSeveral: true }, second] }]);
  assert.equal([...html.matchAll(/action="\/connect\/default"/g)].length, 1);
  assert.match(html, /used unless another one is chosen/);
});

test('projects are named only where there are several with something in them', async () => {
  const empty = { ...project, id: 'empty', name: 'Nothing here', accounts: [] };
  assert.doesNotMatch(await connections([project, empty]), /Nothing here|class="place"/);
  const other = { ...project, id: 'other', name: 'The other one' };
  assert.match(await connections([project, other]), /The other one/);
  assert.match(await connections([empty]), /Nothing can be connected here yet/);
});
