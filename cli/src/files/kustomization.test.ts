import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addResource } from './kustomization.ts';

const listed = `# Flux reads this
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace:   ai-platform   # all of it
resources:
- github-mcp.yaml   # the first
# about proxmox
- ./proxmox-mcp.yaml
images: {a: b}
`;

test('a file is listed once, where it belongs, and nothing else changes', () => {
  const added = addResource('kustomization.yaml', listed, 'jira-mcp.yaml');
  assert.equal(added, listed.replace('- ./proxmox-mcp.yaml\n', '- ./proxmox-mcp.yaml\n- jira-mcp.yaml\n'));
  assert.equal(addResource('kustomization.yaml', added, './jira-mcp.yaml'), added);
  assert.equal(addResource('kustomization.yaml', added, 'proxmox-mcp.yaml'), added);
});

test('a sorted list stays sorted', () => {
  const text = 'resources:\n  - a.yaml\n  # about c\n  - c.yaml\n';
  assert.equal(
    addResource('k', text, 'b.yaml'),
    'resources:\n  - a.yaml\n  - b.yaml\n  # about c\n  - c.yaml\n',
  );
});

test('a kustomization without resources, and none at all, get the list', () => {
  assert.match(addResource('k', null, 'a.yaml'), /^kind: Kustomization\nresources:\n {2}- a\.yaml\n$/m);
  assert.equal(
    addResource('k', 'kind: Kustomization\n', 'a.yaml'),
    'kind: Kustomization\nresources:\n  - a.yaml\n',
  );
  assert.equal(addResource('k', 'resources: []\nx: 1\n', 'a.yaml'), 'resources:\n  - a.yaml\nx: 1\n');
  assert.equal(addResource('k', 'resources:\nx: 1\n', 'a.yaml'), 'resources:\n  - a.yaml\nx: 1\n');
});

test('a kustomization that cannot be edited exactly is refused', () => {
  const text = 'x: &l [b.yaml]\nresources: *l\n';
  assert.throws(() => addResource('k', text, 'a.yaml'), { code: 'kustomization.not-editable' });
  assert.throws(() => addResource('k', 'resources:\n  - [\n', 'a.yaml'), { code: 'yaml.invalid' });
});
