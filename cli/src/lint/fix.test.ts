import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectOf } from '../../test/arbitrary-server.ts';
import { fix } from './fix.ts';

const deployment = (name: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}-mcp
  namespace: ai-platform
spec:
  template:
    spec:
      containers:
        - name: ${name}
          image: ghcr.io/acme/${name}:1
`;

for (const [ends, end] of Object.entries({
  'a line': '',
  'half a line': null,
  'an empty document': '---\n',
})) {
  test(`every server of a file gets the policy that it lacks, however many there are; it ends with ${ends}`, async () => {
    const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
    const whole = names.map(deployment).join('');
    const text = end === null ? whole.trimEnd() : whole + end;
    const file = { path: '/repo/all-mcp.yaml', shown: 'all-mcp.yaml', kind: 'manifest', text } as const;
    const { changes, findings } = await fix(projectOf(), [file]);
    assert.deepEqual(
      findings.filter((finding) => finding.fix !== undefined).map(({ rule }) => rule),
      [],
    );
    const after = changes[0]?.after ?? '';
    assert.equal(after.match(/^kind: NetworkPolicy$/gm)?.length, names.length);
    assert.doesNotMatch(after, /^---\n---$|\n\n/m);
  });
}
