import type { Grant } from './accounts.ts';

/** The part of the Gmail API that the tools use: each user sees the own mailbox alone. */
export interface Mailboxes {
  readonly addresses: readonly string[];
  answer(method: string, url: URL, body: string, grant: Grant): { status: number; body: object };
}

interface Message {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const scope = 'https://www.googleapis.com/auth/gmail.';

export function createMailboxes(addresses: readonly string[]): Mailboxes {
  const boxes = new Map<string, Message[]>(addresses.map((address) => [address, []]));
  let count = 0;

  function put(address: string, headers: Record<string, string>, text: string): string {
    const id = `msg-${++count}`;
    boxes
      .get(address)
      ?.unshift({ id, headers: { Date: new Date().toUTCString(), To: address, ...headers }, text });
    return id;
  }
  for (const address of addresses) {
    put(address, { From: 'welcome@mail.example', Subject: 'Welcome' }, `This is the mailbox of ${address}.`);
  }

  function send(from: string, mime: string): object {
    const [head = '', ...body] = mime.split('\r\n\r\n');
    const { To: to = '', ...headers } = headersOf(head);
    const text = Buffer.from(body.join(''), 'base64').toString();
    put(to, { ...headers, From: from }, text);
    return { id: put(from, { ...headers, From: from, To: to }, text), labelIds: ['SENT'] };
  }

  return {
    addresses,
    answer(method, { pathname, searchParams }, body, { user, scopes }) {
      const path = pathname.replace('/gmail/v1/users/me', '');
      const isSending = method === 'POST' && path === '/messages/send';
      if (!scopes.includes(`${scope}${isSending ? 'send' : 'readonly'}`))
        return failure(403, 'PERMISSION_DENIED');
      if (isSending) {
        const { raw } = JSON.parse(body) as { raw: string };
        return { status: 200, body: send(user, Buffer.from(raw, 'base64url').toString()) };
      }
      const messages = boxes.get(user) ?? [];
      if (path === '/profile') {
        return { status: 200, body: { emailAddress: user, messagesTotal: messages.length } };
      }
      if (path === '/messages') {
        const words = searchParams.get('q') ?? '';
        const found = messages.filter((one) => `${one.headers.Subject} ${one.text}`.includes(words));
        const shown = found.slice(0, Number(searchParams.get('maxResults') ?? 100));
        return { status: 200, body: { messages: shown.map(({ id }) => ({ id })) } };
      }
      const one = messages.find(({ id }) => path === `/messages/${id}`);
      return one === undefined ? failure(404, 'NOT_FOUND') : { status: 200, body: shownAs(one) };
    },
  };
}

function failure(code: number, status: string) {
  return { status: code, body: { error: { code, status } } };
}

function shownAs({ id, headers, text }: Message): object {
  const listed = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { id, snippet: text.slice(0, 200), payload: { headers: listed } };
}

function headersOf(head: string): Record<string, string> {
  const lines = head.replaceAll('\r\n ', ' ').split('\r\n');
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(': ');
      const words = line.slice(at + 2).split(' ');
      return [
        line.slice(0, at),
        words.every((word) => word.startsWith('=?')) ? words.map(decoded).join('') : line.slice(at + 2),
      ];
    }),
  );
}

function decoded(word: string): string {
  return Buffer.from(/^=\?UTF-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? '', 'base64').toString();
}
