import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { errorCodes } from '@sallyport/contracts';
import fc from 'fast-check';
import type { MetricSnapshot } from '#telemetry';
import { anyCharacter } from './any-character.ts';
import { type EraServer, startEraServer } from './era-server.ts';
import { readExposition, type Sample, type ScrapedMetric } from './exposition.ts';
import { messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

let app: TestApp;
let source: EraServer;
before(async () => {
  source = await startEraServer('legacy');
  app = await startApp(`
workers:
  - { id: tools, type: mcp, mcp: { uri: ${source.uri} } }
  - { id: gone, type: mcp, mcp: { uri: http://127.0.0.1:1/mcp } }
  - { id: resting, type: mcp, enabled: false, mcp: { uri: ${source.uri} } }
gateways: [{ slug: office, tool_filter: { allowed_tools: ['*'] } }]
`);
  await app.app.rooms.sources.refresh('default', 'tools');
  await app.app.rooms.sources.refresh('default', 'gone');
});
after(async () => {
  await app.close();
  await source.close();
});

const scrape = (accept = 'text/plain') => fetch(`${app.url}/metrics`, { headers: { accept } });
const scraped = async () => readExposition(await (await scrape()).text(), 'text');

function countOf(
  metrics: Map<string, ScrapedMetric>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = metrics.get(name) ?? metrics.get(name.replace(/_(?:count|sum)$/, ''));
  const fits = ({ name: its, labels: own }: Sample) =>
    its === name && Object.entries(labels).every(([label, value]) => own[label] === value);
  return (family?.samples ?? []).filter(fits).reduce((sum, { value }) => sum + value, 0);
}

describe('the metrics', () => {
  it('are well-formed in both formats, and say the same', async () => {
    await messageOf(await app.rpc('office', toolCall('tools_Steps')));
    const prometheus =
      'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
    const read = async (format: 'text' | 'openmetrics') => {
      const answer = await scrape(format === 'text' ? undefined : prometheus);
      const type =
        format === 'text' ? 'text/plain; version=0.0.4' : 'application/openmetrics-text; version=1.0.0';
      assert.equal(answer.headers.get('content-type'), `${type}; charset=utf-8`);
      return readExposition(await answer.text(), format);
    };
    const seriesOf = (all: readonly Sample[] = []) => all.map(({ name, labels }) => [name, labels]);
    const shapeOf = (all: Map<string, ScrapedMetric>) =>
      [...all].map(([name, { samples }]) => [name, seriesOf(samples)]);
    let inText = await read('text');
    let inOpen = await read('openmetrics');
    // What happens for the first time in between has a series from then on.
    for (let after = await read('text'); !isDeepStrictEqual(shapeOf(after), shapeOf(inText)); ) {
      inText = after;
      inOpen = await read('openmetrics');
      after = await read('text');
    }
    const bare = (name: string) => name.replace(/_(?:total|info)$/, '');
    assert.deepEqual([...inText.keys()].map(bare), [...inOpen.keys()]);
    for (const [name, { help, samples }] of inText) {
      const other = inOpen.get(bare(name));
      assert.equal(other?.help, help, name);
      assert.deepEqual(seriesOf(other?.samples), seriesOf(samples), name);
    }
    assert.equal(inOpen.get('sallyport_call_duration_seconds')?.unit, 'seconds');
    assert.equal(inOpen.get('process_resident_memory_bytes')?.unit, 'bytes');
  });

  it('agree with the audit, whatever became of the calls', async () => {
    await app.rpc('office', toolCall('tools_Steps'));
    await app.rpc('office', toolCall('tools_Fail'));
    await app.rpc('office', toolCall('tools_Nothing'));
    await app.rpc('office', { id: 1, method: 'tools/list' });
    await app.rpc('nowhere', toolCall('tools_Steps'));
    const before = await scraped();
    const records = await app.records();
    assert.ok(records.length < 100, 'all of them are there');
    assert.equal(countOf(before, 'sallyport_audit_records_total'), records.length);
    const calls = records.filter(
      ({ kind }) => !['admin', 'sign_in', 'credential', 'tool_change'].includes(kind),
    );
    const counted = countOf(before, 'sallyport_calls_total') + countOf(before, 'sallyport_events_total');
    assert.equal(counted, records.length);
    for (const { kind, decision, source, code } of calls) {
      const same = calls.filter(
        (one) => one.kind === kind && one.decision === decision && one.source === source,
      );
      const labels = { kind, decision, source: source ?? '', gateway: 'office' };
      assert.equal(countOf(before, 'sallyport_calls_total', labels), same.length, JSON.stringify(labels));
      if (code === null) continue;
      const refused = records.filter((one) => one.code === code && one.kind === kind);
      assert.equal(countOf(before, 'sallyport_refusals_total', { code, kind }), refused.length, code);
    }
    assert.ok(calls.some(({ decision }) => decision === 'allowed'));
    assert.ok(calls.some(({ code }) => code === 'source.tool_failed'));
    assert.ok(records.some(({ code }) => code === 'gateway.unknown'));
  });

  it('tell the time of each stage that a call went through, and of its source', async () => {
    const before = await scraped();
    await app.rpc('office', toolCall('tools_Steps'));
    await app.rpc('office', toolCall('tools_Nothing'));
    const now = await scraped();
    const grown = (name: string, labels: Record<string, string>) =>
      countOf(now, name, labels) - countOf(before, name, labels);
    const stage = (name: string) => grown('sallyport_stage_duration_seconds_count', { stage: name });
    assert.deepEqual(['authenticate', 'resolve', 'record'].map(stage), [2, 2, 2]);
    const further = [
      'authorize',
      'consent',
      'screen_input',
      'attach_credential',
      'dispatch',
      'screen_output',
    ];
    assert.deepEqual(further.map(stage), [1, 1, 1, 1, 1, 1]);
    const answered = { source: 'tools', outcome: 'answered' };
    assert.equal(grown('sallyport_source_duration_seconds_count', answered), 1);
  });

  it('tell which sources are up and what they offer, and nothing of those that are disabled', async () => {
    const metrics = await scraped();
    const of = (name: string) =>
      Object.fromEntries(metrics.get(name)?.samples.map(({ labels, value }) => [labels.source, value]) ?? []);
    assert.deepEqual(of('sallyport_source_up'), { tools: 1, gone: 0 });
    const { tools, gone } = of('sallyport_source_tools');
    assert.ok((tools ?? 0) > 1);
    assert.equal(gone, 0);
  });

  it('count sessions while they last', async () => {
    const before = countOf(await scraped(), 'sallyport_mcp_sessions');
    const hello = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    };
    const opened = await app.rpc('office', { id: 1, method: 'initialize', params: hello });
    await opened.text();
    assert.equal(countOf(await scraped(), 'sallyport_mcp_sessions'), before + 1);
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    const auth = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
    await fetch(`${app.url}/mcp/office`, { method: 'DELETE', headers: { ...auth, ...session } });
    assert.equal(countOf(await scraped(), 'sallyport_mcp_sessions'), before);
  });

  it('count answers by what served them', async () => {
    const before = await scraped();
    await fetch(`${app.url}/v1/health`);
    await fetch(`${app.url}/v1/tools`);
    await fetch(`${app.url}/nothing/here`);
    await messageOf(await app.rpc('office', toolCall('tools_Steps')));
    const now = await scraped();
    const grown = (front: string, status: string) =>
      countOf(now, 'sallyport_http_responses_total', { front, status }) -
      countOf(before, 'sallyport_http_responses_total', { front, status });
    assert.deepEqual([grown('api', '2xx'), grown('api', '4xx'), grown('mcp', '2xx')], [1, 1, 1]);
    assert.equal(grown('server', '4xx'), 1);
  });

  it('have no more series, and no other words, for however many users call whatever tools at whatever gateways', async () => {
    const shapeOf = async () => {
      const words = new Set<string>();
      for (const [name, { samples }] of await scraped()) {
        if (/^(?:nodejs|process)_/.test(name)) continue;
        for (const { name: its, labels } of samples) {
          const { code, ...own } = labels;
          assert.ok(code === undefined || Object.hasOwn(errorCodes, code), code);
          words.add(JSON.stringify([its, own]));
        }
      }
      return words;
    };
    const odd = fc.string({ unit: anyCharacter, maxLength: 40 });
    const header = fc.stringMatching(/^[!-~]{1,40}$/);
    const slug = fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/).filter((name) => name !== 'office');
    const call = async (user: string, tool: string, gateway: string) => {
      const headers = { 'arcade-user-id': user };
      const answers = [
        await app.rpc('office', toolCall(tool), headers),
        await app.rpc('office', toolCall('tools_Steps'), headers),
        await app.rpc(gateway, toolCall(tool), headers),
        await app.rpc('office', toolCall(tool), { ...headers, authorization: `Bearer ${user}` }),
        await app.api('POST', '/v1/tools/execute', { tool_name: `${tool}x`, user_id: `${user}x` }),
      ];
      for (const answer of answers) await answer.text();
    };
    await call('first', 'first', 'first');
    await call('', '', 'first');
    const known = await shapeOf();
    await fc.assert(fc.asyncProperty(header, odd, slug, call), { numRuns: 20 });
    const added = [...(await shapeOf())].filter((series) => !known.has(series));
    assert.deepEqual(added, []);
  });
});

describe('who may read the metrics', () => {
  it('is anybody who reaches the server, with GET and HEAD', async () => {
    const head = await fetch(`${app.url}/metrics`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    assert.equal((await scrape()).headers.get('cache-control'), 'no-store');
    assert.equal((await fetch(`${app.url}/metrics`, { method: 'POST' })).status, 404);
  });

  it('is no page of another origin, and nobody under a name that is not ours', async () => {
    const foreign = await fetch(`${app.url}/metrics`, { headers: { origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
    const { hostname, port } = new URL(app.url);
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(
        { hostname, port, path: '/metrics', headers: { host: 'evil.example' } },
        (answer) => {
          void text(answer).then(() => resolve(answer.statusCode), reject);
        },
      );
      asked.on('error', reject).end();
    });
    assert.equal(rebound, 403);
  });
});

describe('docs/metrics.md', () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \|\s*([^|]*?)\s*\| (\S.*) \|$/gm)];
  const metrics = (): Promise<readonly MetricSnapshot[]> => app.app.rooms.telemetry.metrics.read();

  it('tells every metric as it is, and none that there is not', async () => {
    const told = rows.map(([, name, type, labels = '']) => [name, type, labels.replaceAll('`', '')]);
    const are = (await metrics()).map(({ name, type, labels }) => [name, type, labels.join(', ')]);
    assert.deepEqual(told.toSorted(), are.toSorted());
  });

  it('tells every label, and every stage that a call goes through', async () => {
    const labelled = [...page.matchAll(/^\| (`.*?`)(?: of [^|]+)? \| (.+) \|$/gm)];
    const names = new Set(labelled.flatMap(([, label = '']) => label.replaceAll('`', '').split(', ')));
    const all = await metrics();
    for (const label of new Set(all.flatMap(({ labels }) => labels))) assert.ok(names.has(label), label);
    const stages = labelled.find(([, label]) => label === '`stage`')?.[2];
    const times = all.find(({ name }) => name === 'sallyport_stage_duration_seconds');
    assert.deepEqual(stages, times?.series.map(({ values }) => `\`${values[0]}\``).join(', '));
  });
});
