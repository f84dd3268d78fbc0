import type { IncomingMessage, ServerResponse } from 'node:http';
import { html } from 'hono/html';
import type Provider from 'oidc-provider';
import type { Clock } from '#foundation';
import { deviceCodePage, deviceConfirmPage } from '../pages/device-pages.ts';
import { sendPage } from '../pages/page.ts';
import { createAttemptLimit } from '../sign-in/attempt-limit.ts';
import type { FormGuard } from '../sign-in/form-guard.ts';
import { vouchingHost } from './client-metadata.ts';
import type { PeopleOfTokens } from './people.ts';
import { deviceFormSecret } from './sessions.ts';
import type { Targets } from './targets.ts';

/** Codes are short: whoever tries many waits. Those who are not signed in share what they may try. */
const maxWrong = { signedIn: 10, others: 60 };
const formFor = 'device';

export interface DeviceDeps {
  readonly clock: Clock;
  readonly targets: Targets;
  readonly forms: FormGuard;
  readonly people: Pick<PeopleOfTokens, 'ofBrowser'>;
}

/** The page at which a person enters the code that a device shows; the rest is like any other authorization. */
export function createDevicePage({ clock, targets, forms, people }: DeviceDeps) {
  const ofSignIns = createAttemptLimit(clock, maxWrong.signedIn);
  const ofOthers = createAttemptLimit(clock, maxWrong.others);

  async function ask(
    request: IncomingMessage,
    response: ServerResponse,
    problem: string | null,
    status = 200,
  ): Promise<void> {
    const form = formText('op.deviceInputForm', {
      form_token: forms.token(request, response, formFor),
      step: 'code',
    });
    await sendPage(response, status, deviceCodePage({ form, problem }));
  }

  async function confirm(
    request: IncomingMessage,
    response: ServerResponse,
    userCode: string,
    provider: Provider,
  ): Promise<void> {
    const whose = (await people.ofBrowser(request))?.id ?? '';
    const wrong = whose === '' ? ofOthers : ofSignIns;
    if (wrong.isOver(whose))
      return await ask(request, response, 'Too many codes were tried: wait a minute.', 429);
    const code = await provider.DeviceCode.findByUserCode(
      userCode.replace(/[^a-zA-Z0-9]/g, '').toUpperCase(),
    );
    const client = code === undefined ? undefined : await provider.Client.find(code.clientId ?? '');
    const isAnswered = code?.error !== undefined || code?.accountId !== undefined;
    if (code === undefined || client === undefined || isAnswered) {
      wrong.failed(whose);
      return await ask(request, response, 'There is no such code, or it is too old.');
    }
    const { resource, scope } = code.params as { resource?: unknown; scope?: unknown };
    const form = formText('op.deviceConfirmForm', {
      form_token: forms.token(request, response, formFor),
      step: 'confirm',
      user_code: userCode,
    });
    const page = deviceConfirmPage({
      form,
      userCode,
      client: { id: client.clientId, name: client.clientName ?? '', host: vouchingHost(client.clientId) },
      scopes: String(scope ?? '')
        .split(' ')
        .filter(Boolean),
      gateway: targets.ofResource(String(resource))?.gateway ?? null,
    });
    await sendPage(response, 200, page);
  }

  return {
    ask,
    /** The body for the library, once a person has confirmed; `null`: a page was shown. */
    async serve(
      request: IncomingMessage,
      response: ServerResponse,
      provider: Provider,
    ): Promise<string | null> {
      const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
      const linked = query.get('user_code');
      if (request.method !== 'POST') {
        if (linked === null || linked === '') await ask(request, response, null);
        else await confirm(request, response, linked, provider);
        return null;
      }
      const fields = await forms.read(request, formFor);
      const userCode = fields?.get('user_code') ?? '';
      if (fields === null || userCode === '') {
        await ask(request, response, fields === null ? 'This form is too old. Enter the code again.' : null);
        return null;
      }
      if (fields.get('step') !== 'confirm') {
        await confirm(request, response, userCode, provider);
        return null;
      }
      const answer = fields.has('abort') ? { abort: 'yes' } : { confirm: 'yes' };
      return new URLSearchParams({ xsrf: deviceFormSecret, user_code: userCode, ...answer }).toString();
    },
  };
}

function formText(id: string, fields: Readonly<Record<string, string>>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return String(html`<form id="${id}" method="post" action="/oauth2/device">${inputs}</form>`);
}

export type DevicePage = ReturnType<typeof createDevicePage>;
