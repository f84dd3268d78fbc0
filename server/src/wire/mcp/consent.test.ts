import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ConsentNeeded, consentIdsOf, consentRequired, refusal, silentClient } from '#domain';
import { askToConsent } from './consent.ts';
import { refusalResult } from './tool-result.ts';

const consent = (name: string): ConsentNeeded => ({
  id: `ac_${name}`,
  url: `https://gateway.example/connect/${name}`,
  providerId: name,
  label: name.toUpperCase(),
  scopes: ['a', 'b'],
});
const opensLinks = { ...silentClient, capabilities: { elicitation: { url: {} } } };
const ofSession = { ...opensLinks, ask: async () => ({ result: {} }) };
const refused = (...names: [string, ...string[]]) => {
  const [first, ...others] = names.map(consent) as [ConsentNeeded, ...ConsentNeeded[]];
  return { refusal: consentRequired([first, ...others]), recorded: true };
};

it('a client of today that opens links is asked everything that is missing at once', () => {
  const asked = askToConsent(refused('github', 'google'), opensLinks);
  assert.ok(asked?.ok && typeof asked.value === 'object' && 'form' in asked.value);
  const { requests, state } = asked.value;
  assert.deepEqual(Object.keys(requests), ['authorization', 'authorization-2']);
  assert.deepEqual(
    Object.values(requests).map(({ method, params }) => [method, params?.mode, params?.url]),
    ['github', 'google'].map((name) => ['elicitation/create', 'url', consent(name).url]),
  );
  assert.deepEqual(consentIdsOf(state ?? ''), ['ac_github', 'ac_google']);
});

it('a client of 2025-11-25 that opens links gets one error with all of them', () => {
  const asked = askToConsent(refused('github', 'google'), ofSession);
  assert.ok(asked !== null && !asked.ok);
  const { code, data } = asked.error.relayed ?? {};
  assert.equal(code, -32042);
  const { elicitations } = data as { elicitations: { elicitationId: string; message: string }[] };
  assert.deepEqual(
    elicitations.map(({ elicitationId }) => elicitationId),
    ['ac_github', 'ac_google'],
  );
  assert.match(elicitations[1]?.message ?? '', /^GOOGLE needs your authorization/);
});

it('any other client is told in text, structuredContent and _meta, of every one', () => {
  assert.equal(askToConsent(refused('github'), silentClient), null);
  const { content, structuredContent, isError, _meta } = JSON.parse(
    refusalResult(refused('github', 'google').refusal),
  );
  assert.equal(isError, true);
  for (const name of ['github', 'google']) assert.match(content[0].text, new RegExp(`/connect/${name}`));
  assert.equal(structuredContent.authorization_url, consent('github').url);
  assert.equal(structuredContent.authorization_id, 'ac_github');
  assert.equal(structuredContent.provider_id, 'github');
  assert.deepEqual(structuredContent.scopes, ['a', 'b']);
  assert.match(structuredContent.llm_instructions, /Show the user these links/);
  const named = structuredContent.authorizations.map((one: { provider_id: string }) => one.provider_id);
  assert.deepEqual(named, ['github', 'google']);
  assert.equal(_meta.authorization_url, consent('github').url);
  assert.deepEqual(_meta.authorization_urls, [consent('github').url, consent('google').url]);
});

it('structured content is left out where it would not be what the tool promises: clients hold failed results to that, too', () => {
  const wrapped = { type: 'object', properties: { result: { type: 'string' } } };
  const told = (schema: object) => JSON.parse(refusalResult(refused('github').refusal, { ...schema }));
  assert.equal(told(wrapped).structuredContent.authorization_id, 'ac_github');
  for (const strict of [
    { ...wrapped, required: ['result'] },
    { ...wrapped, additionalProperties: false },
    { type: 'object', properties: { authorization_id: { type: 'number' } } },
    { anyOf: [wrapped] },
  ]) {
    const { structuredContent, _meta } = told(strict);
    assert.equal(structuredContent, undefined);
    assert.equal(_meta.authorization_url, consent('github').url);
    assert.equal(_meta['sallyport/refusal'].details.authorization_id, 'ac_github');
  }
});

it('any other refusal asks for no consent', () => {
  const other = { refusal: refusal('credentials.not_configured', 'no'), recorded: true };
  assert.equal(askToConsent(other, opensLinks), null);
  assert.equal(JSON.parse(refusalResult(other.refusal)).structuredContent, undefined);
});
