/** The parts of an image reference, as `ghcr.io/acme/github-mcp:1.4.2@sha256:…`. */
export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** `null` for what is none. */
export function parseImage(image: string): ImageReference | null {
  const match =
    /^((?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[a-f0-9]{64}))?$/i.exec(
      image,
    );
  const name = match?.[1];
  if (match === null || name === undefined) return null;
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  return {
    registry: hasRegistry ? first : 'docker.io',
    repository: hasRegistry ? rest.join('/') : rest.length === 0 ? `library/${first}` : name,
    tag: match[2],
    digest: match[3],
  };
}
