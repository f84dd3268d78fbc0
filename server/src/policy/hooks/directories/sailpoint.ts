import type { SailpointConfig } from '@sallyport/contracts';
import { err, isMembers, ok } from '#foundation';
import { createTokenFetch } from './client-credentials.ts';
import { type Directory, type DirectoryDeps, listIn, texts } from './directory.ts';

/** Access of an identity in SailPoint Identity Security Cloud: access profiles, roles and entitlements, by id or name. */
export function sailpointDirectory(config: SailpointConfig, deps: DirectoryDeps): Directory {
  const base = config.tenant_url.replace(/\/+$/, '');
  const ask = createTokenFetch(deps, {
    tokenUrl: `${base}/oauth/token`,
    clientId: config.client_id,
    clientSecret: config.client_secret,
  });
  return {
    async groupsOf(login) {
      // Words of the query language must not come from a user's name.
      const quoted = `"${login.replace(/[\\"]/g, '\\$&')}"`;
      const body = JSON.stringify({
        indices: ['identities'],
        query: { query: `name:${quoted} OR email:${quoted} OR attributes.uid:${quoted}` },
        queryResultFilter: { includes: ['name', 'email', 'attributes.uid', 'access'] },
        includeNested: true,
      });
      const answer = await ask({ method: 'POST', url: `${base}/v3/search?limit=50`, body });
      if (!answer.ok) return answer;
      // A search finds what is alike; only who has this very name is meant.
      const found = listIn(answer.value.value).filter((identity) => isCalled(identity, login));
      if (found.length > 1) return err('the directory knows several users of this name');
      return ok(listIn(found[0]?.access).flatMap(({ id, name }) => texts(id, name)));
    },
  };
}

function isCalled({ name, email, attributes }: Readonly<Record<string, unknown>>, login: string): boolean {
  const names = texts(name, email, isMembers(attributes) ? attributes.uid : null);
  return names.some((one) => one.toLowerCase() === login.toLowerCase());
}
