import type { KnownProvider } from '../known-provider.ts';

/** What all apps at Microsoft Entra have in common. */

export const entraVariables: NonNullable<KnownProvider['variables']> = {
  tenant: {
    label: 'the tenant: its id or domain, or common, organizations, consumers',
    example: 'contoso.onmicrosoft.com',
    default: 'common',
    pattern: /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
  },
};

// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
export const entraAdvice: NonNullable<KnownProvider['advice']> = {
  AADSTS50011:
    'An administrator has to add the redirect URI of this provider to the app registration at Microsoft Entra (Authentication, platform Web).',
  AADSTS50020:
    'Your account is not of the tenant of the app: use one that is, or an administrator sets the variable tenant to organizations or common.',
  AADSTS50194: 'The app is of one tenant only: an administrator has to set the variable tenant to it.',
  AADSTS65001:
    'Nobody has consented yet: start again, or an administrator of the tenant grants consent at Microsoft Entra (API permissions).',
  AADSTS65004: 'You did not allow it: start again and allow it.',
  AADSTS70011:
    'A scope is not known, or of another resource: an administrator has to mend what the tool asks for.',
  AADSTS28000:
    'Scopes of two resources cannot be asked for at once: an administrator has to register one provider for each.',
  AADSTS90094:
    'An administrator of your tenant has to consent for you at Microsoft Entra (Enterprise applications, API permissions).',
  AADSTS90095:
    'An administrator of your tenant has to consent for you: the request can be sent from the page of Microsoft.',
  AADSTS700016:
    'The tenant does not know the app: an administrator has to check client id and the variable tenant.',
  AADSTS7000215: 'An administrator has to enter the value of the client secret, and not its id.',
  AADSTS7000222:
    'The client secret has expired: an administrator has to make another one at Microsoft Entra and to enter it.',
  AADSTS700082: 'You were away for too long: start again.',
  AADSTS9002313: 'The request is malformed: an administrator has to check the scopes that the tool asks for.',
};
