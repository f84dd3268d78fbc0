import { IncomingMessage, type ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';

/** What of a request's headers the library sees: nothing that says under which name or by which way it came. */
const passedHeaders = ['accept', 'authorization', 'content-type', 'user-agent'];

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body?: string | null;
  /** Of the authorization that waits in this browser. */
  readonly uid?: string | null;
}

/**
 * The request as the library gets it: made anew, addressed to our issuer, with the cookies that the library would have set
 * and no others but ours.
 */
export function requestFor(
  issuer: string,
  request: IncomingMessage,
  { method, url, body, uid }: Asked,
): IncomingMessage {
  const made = new IncomingMessage(request.socket);
  const { host, protocol } = new URL(issuer);
  made.method = method;
  made.url = url;
  made.headers = { host, 'x-forwarded-proto': protocol.slice(0, -1) };
  for (const name of passedHeaders) {
    const value = request.headers[name];
    if (typeof value === 'string') made.headers[name] = value;
  }
  const ours = (request.headers.cookie ?? '').split(';').filter((pair) => !pair.trim().startsWith('_i'));
  const theirs = uid == null ? [] : [`_interaction=${uid}`, `_interaction_resume=${uid}`];
  const cookie = [...ours, ...theirs].join(';');
  if (cookie !== '') made.headers.cookie = cookie;
  if (body == null) delete made.headers['content-type'];
  else {
    made.headers['content-length'] = String(Buffer.byteLength(body));
    made.push(body);
  }
  made.push(null);
  made.complete = true;
  return made;
}

/** Lets the library answer, and keeps its cookies from leaving: ours stand for them. */
export async function answerBy(
  provider: Provider,
  asked: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const setHeader = response.setHeader;
  response.setHeader = function (name, value) {
    if (name.toLowerCase() !== 'set-cookie') return setHeader.call(this, name, value);
    const kept = [value].flat().filter((cookie) => !/^_(?:interaction|session)/.test(String(cookie)));
    if (kept.length === 0) this.removeHeader(name);
    else setHeader.call(this, name, kept as string[]);
    return this;
  };
  await callbackOf(provider)(asked, response);
}

const callbacks = new WeakMap<Provider, ReturnType<Provider['callback']>>();

function callbackOf(provider: Provider) {
  const callback = callbacks.get(provider) ?? provider.callback();
  callbacks.set(provider, callback);
  return callback;
}
