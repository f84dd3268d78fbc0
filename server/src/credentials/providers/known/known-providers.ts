import type { KnownProvider } from '../known-provider.ts';
import { airtable } from './airtable.ts';
import { asana } from './asana.ts';
import { atlassian } from './atlassian.ts';
import { attio } from './attio.ts';
import { calendly } from './calendly.ts';
import { canva } from './canva.ts';
import { ciscoDuo } from './cisco-duo.ts';
import { clickup } from './clickup.ts';
import { discord } from './discord.ts';
import { dropbox } from './dropbox.ts';
import { figma } from './figma.ts';
import { freshservice } from './freshservice.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { google } from './google.ts';
import { hubspot } from './hubspot.ts';
import { intuit } from './intuit.ts';
import { linear } from './linear.ts';
import { linkedin } from './linkedin.ts';
import { mailchimp } from './mailchimp.ts';
import { microsoft } from './microsoft.ts';
import { microsoftPowerbi } from './microsoft-powerbi.ts';
import { miro } from './miro.ts';
import { notion } from './notion.ts';
import { pagerduty } from './pagerduty.ts';
import { reddit } from './reddit.ts';
import { salesforce } from './salesforce.ts';
import { sentry } from './sentry.ts';
import { servicenow } from './servicenow.ts';
import { slack } from './slack.ts';
import { snowflake } from './snowflake.ts';
import { spotify } from './spotify.ts';
import { square } from './square.ts';
import { ticktick } from './ticktick.ts';
import { twitch } from './twitch.ts';
import { workday } from './workday.ts';
import { x } from './x.ts';
import { zendesk } from './zendesk.ts';
import { zoho } from './zoho.ts';
import { zoom } from './zoom.ts';

/** The well-known providers, in the order of their ids. */
export const knownProviders: readonly KnownProvider[] = [
  airtable,
  asana,
  atlassian,
  attio,
  calendly,
  canva,
  ciscoDuo,
  clickup,
  discord,
  dropbox,
  figma,
  freshservice,
  github,
  gitlab,
  google,
  hubspot,
  intuit,
  linear,
  linkedin,
  mailchimp,
  microsoft,
  microsoftPowerbi,
  miro,
  notion,
  pagerduty,
  reddit,
  salesforce,
  sentry,
  servicenow,
  slack,
  snowflake,
  spotify,
  square,
  ticktick,
  twitch,
  workday,
  x,
  zendesk,
  zoho,
  zoom,
];

const byId = new Map(knownProviders.map((known) => [known.id, known]));

export function knownProvider(id: string): KnownProvider | null {
  return byId.get(id) ?? null;
}
