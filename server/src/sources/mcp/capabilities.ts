import {
  type ClientSide,
  type Credential,
  type ForUser,
  type InputMethod,
  type InputRequest,
  inputMethods,
} from '#domain';
import { Fault, isMembers, type Members } from '#foundation';
import { isHeaderText } from './headers.ts';
import { withoutModernTasks } from './protocol.ts';
import type { Bearer } from './transports/transport.ts';

const capabilityOf: { readonly [method in InputMethod]: 'elicitation' | 'sampling' | 'roots' } = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** Whether a server may ask such a client anything. */
export function isAskable({ elicitation, sampling, roots }: Members): boolean {
  return isMembers(elicitation) || isMembers(sampling) || isMembers(roots);
}

/** A request of a server that its client may not be asked: the error it gets, and what the client would have to declare. */
export interface Undeclared {
  readonly code: -32601 | -32602;
  readonly message: string;
  readonly required: Members;
}

/** What stands between a server's request and the client; `null` where nothing does. */
export function undeclared(
  capabilities: Members,
  { method, params }: { readonly method: string; readonly params?: Members | undefined },
): Undeclared | null {
  if (!isInputMethod(method)) return missing(-32601, `the gateway does not answer ${method}`, {});
  const name = capabilityOf[method];
  const declared = capabilities[name];
  if (!isMembers(declared)) return missing(-32601, `the client does not do ${method}`, { [name]: {} });
  if (method === 'elicitation/create') {
    const mode = typeof params?.mode === 'string' ? params.mode : 'form';
    // Before there were modes, to declare elicitation was to declare forms.
    const does = isMembers(declared[mode]) || (mode === 'form' && !isMembers(declared.url));
    const words = `the client does not do elicitation in the mode ${mode.slice(0, 50)}`;
    return does ? null : missing(-32602, words, { elicitation: { [mode.slice(0, 50)]: {} } });
  }
  const wantsTools = (params?.tools ?? params?.toolChoice) !== undefined;
  if (name !== 'sampling' || !wantsTools || isMembers(declared.tools)) return null;
  return missing(-32602, 'the client does not do sampling with tools', { sampling: { tools: {} } });
}

function missing(code: Undeclared['code'], message: string, required: Members): Undeclared {
  return { code, message, required };
}

function isInputMethod(method: string): method is InputMethod {
  return inputMethods.includes(method as InputMethod);
}

export function inputRequestOf(method: string, params: Members | undefined): InputRequest {
  return { method: method as InputMethod, ...(params === undefined ? {} : { params }) };
}

/** Whose session with a server of the legacy era it is, and what is declared in it. */
export interface Owner {
  readonly key: string;
  /** The key of its user. */
  readonly user: string;
  readonly conversation: string | null;
  /** As `initialize` of the legacy era takes them. */
  readonly capabilities: Members;
  /** The same text for the same capabilities, however they are written. */
  readonly capabilitiesText: string;
  readonly bearer: Bearer;
}

/**
 * Where everybody shares one session, and where lists are asked for, as a server may list only what it thinks of use: what a
 * client does not do is refused in its name.
 */
const everything = { elicitation: { form: {}, url: {} }, roots: { listChanged: true }, sampling: {} };

export const catalogueKey = 'catalogue';

/** One that declares nothing. */
export function silentOwner(key: string, authorization = ''): Owner {
  const bearer = { line: authorization };
  return { key, user: key, conversation: null, capabilities: {}, capabilitiesText: '', bearer };
}

export function sharedOwner(key: string, authorization = ''): Owner {
  const shared = { conversation: null, capabilities: everything, capabilitiesText: 'everything' };
  return { key, user: key, ...shared, bearer: { line: authorization } };
}

/** The header line of a credential. */
export function authorizationOf(credential: Credential | null | undefined): string {
  const { authorization } = credential ?? {};
  if (authorization == null) return '';
  const { name, value } = authorization.header ?? {
    name: 'authorization',
    value: `Bearer ${authorization.token}`,
  };
  // Whoever gave it must not be able to end the line.
  if (!isHeaderText(value) || !isHeaderText(name)) throw new Fault('a header cannot carry this credential');
  return `${name}: ${value}\r\n`;
}

export const conversationKey = (conversation: string): string => `conversation ${conversation}`;
/** A prefix, so that no user id can be that of the catalogue. */
export function userKey({ userId, personId }: ForUser): string {
  if (userId === null) return 'nobody';
  return personId === undefined ? `user ${userId}` : `person ${personId} ${userId}`;
}

export function ownerOf(
  { conversation, capabilities }: ClientSide,
  forUser: ForUser,
  authorization = '',
): Owner {
  const known = legacyForm(capabilities);
  const user = userKey(forUser);
  const key = conversation === null ? `${user} ${known.text}` : conversationKey(conversation);
  const bearer = { line: authorization };
  return { key, user, conversation, capabilities: known.capabilities, capabilitiesText: known.text, bearer };
}

/** Without `tasks`: what a server asks is never a task here. */
const legacyNames = ['elicitation', 'experimental', 'extensions', 'roots', 'sampling'];
const nothing = { capabilities: {}, text: '' };
const forms = new WeakMap<Members, typeof nothing>();

/** What `initialize` knows of them, in one order. */
function legacyForm(declared: Members): { readonly capabilities: Members; readonly text: string } {
  let form = forms.get(declared);
  if (form === undefined) {
    const names = legacyNames.filter((name) => isMembers(declared[name]));
    const ofEra = withoutModernTasks(declared);
    const capabilities = Object.fromEntries(names.map((name) => [name, inOrder(ofEra[name])] as const));
    form = names.length === 0 ? nothing : { capabilities, text: JSON.stringify(capabilities) };
    forms.set(declared, form);
  }
  return form;
}

const maxDepth = 16;

function inOrder(value: unknown, depth = 0): unknown {
  if (!isMembers(value) || depth >= maxDepth) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name], depth + 1)]));
}
