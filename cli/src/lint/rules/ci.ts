import type { Mapping } from '../../files/values.ts';
import type { YamlDocument, YamlPath } from '../../files/yaml-file.ts';
import type { Rule } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const ci: Rule = {
  id: 'ci',
  level: 'warning',
  what: 'workflows pin actions by commit, sign in by OIDC, and give images provenance, an SBOM and a digest',
  why: 'An action by its tag runs whatever its owner pushes next, with the rights of the build. A registry password in CI is one that leaks; OIDC gives each run a token of its own. Provenance, SBOM and digest say later what an image is made of and who built it.',
  fixable: false,
  check: ({ files, yaml }, say) => {
    for (const { kind, shown: file } of files) {
      const document = kind === 'workflow' ? yaml.get(file)?.documents[0] : undefined;
      if (document === undefined) continue;
      for (const { path, message } of mistakesOf(document)) say({ file, ...document.at(path) }, message);
    }
  },
};

interface Mistake {
  readonly path: YamlPath;
  readonly message: string;
}

function mistakesOf({ object, file }: YamlDocument): readonly Mistake[] {
  const workflow = mapping(object);
  const mistakes: Mistake[] = [];
  for (const [name, given] of Object.entries(mapping(workflow.jobs))) {
    const job = mapping(given);
    const uses = text(job.uses);
    if (uses !== undefined) mistakes.push(...pinned(uses, ['jobs', name, 'uses']));
    const steps = list(job.steps).map(mapping);
    for (const [index, step] of steps.entries()) {
      const path = ['jobs', name, 'steps', index];
      mistakes.push(
        ...pinned(text(step.uses) ?? '', [...path, 'uses']),
        ...builds(step, path, file.text),
        ...signIns(step, path),
      );
    }
    const publishes = steps.some((step) => /^docker\/(build-push|login)-action@/.test(`${step.uses}`));
    const permissions = mapping(job.permissions ?? workflow.permissions);
    if (publishes && permissions['id-token'] !== 'write') {
      mistakes.push({
        path: ['jobs', name],
        message: `The job ${name} cannot sign in by OIDC: give it permissions with id-token: write.`,
      });
    }
  }
  return mistakes;
}

function pinned(uses: string, path: YamlPath): readonly Mistake[] {
  if (
    uses === '' ||
    uses.startsWith('./') ||
    /@[0-9a-f]{40}$/.test(uses) ||
    /^docker:.*@sha256:[0-9a-f]{64}$/.test(uses)
  )
    return [];
  return [
    {
      path,
      message: `${uses} is whatever its owner pushes next: pin it by the commit, with the version as a comment.`,
    },
  ];
}

function builds(step: Mapping, path: YamlPath, source: string): readonly Mistake[] {
  const run = text(step.run) ?? '';
  const isAction = /^docker\/build-push-action@/.test(`${step.uses}`);
  const isBuildx = /\bdocker\s+buildx\s+build\b/.test(run) && run.includes('--push');
  if (!isAction && !isBuildx) return [];
  const inputs = mapping(step.with);
  if (
    isAction &&
    `${inputs.push}` !== 'true' &&
    !`${inputs.push}`.includes('${{') &&
    !`${inputs.outputs}`.includes('push=true')
  )
    return [];
  const has = (field: string) =>
    isAction ? inputs[field] !== undefined && `${inputs[field]}` !== 'false' : run.includes(`--${field}`);
  const mistakes: Mistake[] = [];
  for (const [field, what] of [
    ['provenance', 'provenance'],
    ['sbom', 'SBOM'],
  ] as const) {
    if (!has(field)) mistakes.push({ path, message: `The image gets no ${what}: set ${field}.` });
  }
  if (!/digest/i.test(source.replace(/@sha256:\S+/g, '')))
    mistakes.push({
      path,
      message: 'Nobody learns the digest of the image: make it an output, and put it into server.yaml.',
    });
  return mistakes;
}

function signIns(step: Mapping, path: YamlPath): readonly Mistake[] {
  const inputs = mapping(step.with);
  const password = text(inputs.password);
  const message =
    'A registry password in CI is one that leaks: sign in by OIDC, or with the token of the run.';
  if (
    /^docker\/login-action@/.test(`${step.uses}`) &&
    password !== undefined &&
    !/secrets\.GITHUB_TOKEN|github\.token|steps\./.test(password)
  ) {
    return [{ path: [...path, 'with', 'password'], message }];
  }
  if (
    /\b(docker|podman|buildah|helm registry)\s+login\b/.test(text(step.run) ?? '') &&
    /secrets\.(?!GITHUB_TOKEN)/.test(JSON.stringify(step))
  )
    return [{ path: [...path, 'run'], message }];
  return [];
}
