import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEgress, FetchFailed } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { createClientDocuments } from './client-documents.ts';

const claudeCode = 'https://claude.ai/oauth/claude-code-client-metadata';
const elsewhere = 'https://client.example/metadata.json';

/** A network in which names lead nowhere, or to an address. */
function documentsWhere(lookup: () => Promise<readonly string[]>) {
  const egress = createEgress({ allow: [], lookup });
  after(() => egress.close());
  return createClientDocuments({ egress, clock: manualClock(), log: silentLog });
}

describe('without a way to the internet', () => {
  const documents = documentsWhere(() => Promise.reject(new Error('no such name')));

  it('a well-known client acts by the document that comes with us, on any port of its computer', async () => {
    const answer = await documents.fetch(claudeCode);
    assert.equal(answer.status, 200);
    const document = (await answer.json()) as Record<string, unknown>;
    assert.equal(document.client_id, claudeCode);
    assert.equal(document.application_type, 'native');
    assert.equal(document.token_endpoint_auth_method, 'none');
    assert.deepEqual(document.redirect_uris, ['http://localhost/callback', 'http://127.0.0.1/callback']);
  });

  it('any other client cannot be known', async () => {
    for (const url of [elsewhere, `${claudeCode}?x`, `${claudeCode}/`, 'https://claude.ai/'])
      await assert.rejects(documents.fetch(url), FetchFailed);
  });
});

it('a document at an internal address is not fetched', async () => {
  const documents = documentsWhere(async () => ['127.0.0.1']);
  await assert.rejects(
    documents.fetch(elsewhere),
    (error) => error instanceof FetchFailed && error.failure.kind === 'address_refused',
  );
});
