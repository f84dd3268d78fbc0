import type { IncomingMessage } from 'node:http';
import { refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { readBody } from '../../http/body.ts';
import type { RestRefusal } from '../answer.ts';
import { confirmUserRoute } from '../auth/confirm-user-route.ts';
import { perform } from '../serve.ts';
import type { CoordinatorDeps } from './front.ts';

const maxBytes = 16 * 1024;

/** What verifiers of users were written for before the engine had this itself: the same operation at an older address. */
export async function confirmUser(
  deps: CoordinatorDeps,
  incoming: IncomingMessage,
): Promise<Result<unknown, RestRefusal>> {
  if (incoming.method !== 'POST') {
    return err({ ...refusal('request.method_not_allowed', 'this address takes POST'), allow: 'POST' });
  }
  const read = await readBody(incoming, maxBytes);
  if (!read.ok) return read;
  const { authorization, 'content-type': contentType } = incoming.headers;
  const request = new Request('http://coordinator/v1/auth/confirm_user', {
    method: 'POST',
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    body: read.value,
  });
  const done = await perform({ ...deps, publicUrl: null }, confirmUserRoute(deps), { request, params: {} });
  return done.ok ? ok(done.value.body) : done;
}
