import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { isOpenedByPerson } from './at-browser.ts';
import { isFit } from './onward-url.ts';

const request = (headers: Record<string, string>, method = 'GET') =>
  ({ method, headers }) as unknown as IncomingMessage;
const document = { 'sec-fetch-dest': 'document' };

test('only a page that a person opens goes on by itself', () => {
  assert.ok(isOpenedByPerson(request(document)));
  assert.ok(isOpenedByPerson(request({})), 'an older browser');
  assert.ok(!isOpenedByPerson(request(document, 'HEAD')));
  for (const into of ['iframe', 'empty', 'image']) {
    assert.ok(!isOpenedByPerson(request({ 'sec-fetch-dest': into })), into);
  }
  for (const ahead of [
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
    { 'x-moz': 'prefetch' },
  ]) {
    assert.ok(!isOpenedByPerson(request({ ...document, ...ahead })));
  }
});

test('a browser is sent to pages of the web, and nowhere else', () => {
  const good = [
    'https://app.example/done?x=1',
    'http://app.internal/done',
    'http://localhost:3000/done',
    'http://127.0.0.1:9/',
    'http://[::1]/x',
  ];
  for (const url of good) assert.ok(isFit(url), url);
  const bad = ['javascript:alert(1)', 'data:text/html,x', '//evil.example', '/connect', ''];
  for (const url of bad) assert.ok(!isFit(url), url);
});
