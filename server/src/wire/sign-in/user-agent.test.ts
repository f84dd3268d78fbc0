import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whereOf } from './user-agent.ts';

test('a browser is called as people call it', () => {
  const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
  assert.equal(whereOf(`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Edg/140.0`), 'Edge on Windows');
  assert.equal(whereOf(`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${chrome}`), 'Chrome on Mac');
  assert.equal(whereOf(`Mozilla/5.0 (Linux; Android 14) ${chrome}`), 'Chrome on Android');
  const safari = 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1';
  assert.equal(
    whereOf(`Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${safari}`),
    'Safari on iPhone',
  );
  assert.equal(
    whereOf('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'),
    'Firefox on Linux',
  );
  assert.equal(whereOf('sallyport-cli/1.0'), 'sallyport-cli/1.0');
  assert.equal(whereOf(''), 'An unknown browser');
});
