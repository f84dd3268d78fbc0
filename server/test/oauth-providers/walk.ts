import { type Browser, createBrowser, type Page, type StopAt } from '../browser.ts';

export interface Walk {
  /** Who the user is over there. */
  readonly as: string;
  readonly allow: boolean;
  /** With its cookies; a new one unless given. */
  readonly browser?: Browser;
  /** Where to stop without asking: the address of an app that is not there. */
  readonly stopAt?: StopAt;
}

const maxPages = 6;

/**
 * What a user does in a browser who follows an address to a consent and answers it: a page of ours with nothing but one button is
 * submitted, on the consent page Allow or Deny is pressed. Ends at the first page after that, or where it cannot go on.
 */
export async function consentAt(
  url: string,
  { as, allow, browser = createBrowser(), stopAt }: Walk,
): Promise<Page> {
  const stop = stopAt === undefined ? {} : { stopAt };
  let page = await browser.open(url, stop);
  for (let seen = 0; seen < maxPages; seen++) {
    if (isConsent(page)) {
      return await browser.submit(page, { button: allow ? 'Allow' : 'Deny', fields: { login: as }, ...stop });
    }
    const [form, ...others] = page.forms;
    if (form === undefined || others.length > 0 || form.buttons.length !== 1) return page;
    page = await browser.submit(page, stop);
  }
  return page;
}

function isConsent({ forms }: Page): boolean {
  return forms.some(({ action }) => new URL(action).pathname === '/stand-in/consent');
}
