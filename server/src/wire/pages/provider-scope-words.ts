/** What is allowed at well-known hosts, in plain words; `null`: not known. A scope means nothing but at its own host. */
export function providerScopeWords(host: string | null, scope: string): string | null {
  const words = host === null ? undefined : atHosts.find(({ hosts }) => hosts.includes(host))?.words;
  return words?.get(scope) ?? identity.get(scope) ?? null;
}

/** Of OpenID Connect: the same everywhere. */
const identity: ReadonlyMap<string, string> = new Map([
  ['openid', 'Know who you are there'],
  ['email', 'See your e-mail address'],
  ['profile', 'See your name and picture'],
  ['offline_access', 'Go on while you are away, until you disconnect it'],
]);

const google = (name: string) => `https://www.googleapis.com/auth/${name}`;

const atHosts: readonly {
  readonly hosts: readonly string[];
  readonly words: ReadonlyMap<string, string>;
}[] = [
  {
    hosts: ['github.com'],
    words: new Map([
      ['repo', 'Read and change all your repositories, private ones too'],
      ['public_repo', 'Read and change your public repositories'],
      ['repo:status', 'See and set the status of commits'],
      ['workflow', 'Change workflows of GitHub Actions'],
      ['gist', 'Write gists'],
      ['notifications', 'See and mark your notifications'],
      ['read:org', 'See your organisations and teams'],
      ['read:user', 'See your profile'],
      ['user', 'See and change your profile'],
      ['user:email', 'See your e-mail addresses'],
      ['read:project', 'See your projects'],
      ['project', 'See and change your projects'],
      ['delete_repo', 'Delete repositories'],
    ]),
  },
  {
    hosts: ['accounts.google.com'],
    words: new Map([
      [google('userinfo.email'), 'See your e-mail address'],
      [google('userinfo.profile'), 'See your name and picture'],
      [google('gmail.readonly'), 'Read your mail'],
      [google('gmail.send'), 'Send mail as you'],
      [google('gmail.compose'), 'Write drafts, and send mail as you'],
      [google('gmail.modify'), 'Read, write, send and sort your mail'],
      [google('gmail.labels'), 'See and change the labels of your mail'],
      ['https://mail.google.com/', 'Do everything with your mail, delete it too'],
      [google('calendar.readonly'), 'See your calendars'],
      [google('calendar.events.readonly'), 'See events in your calendars'],
      [google('calendar.events'), 'See and change events in your calendars'],
      [google('calendar'), 'See, change and delete your calendars'],
      [google('drive.readonly'), 'See and download all your files in Drive'],
      [google('drive.file'), 'See and change the files in Drive that you open with it'],
      [google('drive'), 'See, change and delete all your files in Drive'],
      [google('documents'), 'See and change your documents'],
      [google('documents.readonly'), 'See your documents'],
      [google('spreadsheets'), 'See and change your spreadsheets'],
      [google('spreadsheets.readonly'), 'See your spreadsheets'],
      [google('contacts.readonly'), 'See your contacts'],
      [google('contacts'), 'See and change your contacts'],
    ]),
  },
  {
    hosts: ['login.microsoftonline.com'],
    words: new Map([
      ['User.Read', 'See your profile'],
      ['Mail.Read', 'Read your mail'],
      ['Mail.ReadWrite', 'Read, change and delete your mail'],
      ['Mail.Send', 'Send mail as you'],
      ['Calendars.Read', 'See your calendars'],
      ['Calendars.ReadWrite', 'See and change your calendars'],
      ['Files.Read', 'See your files'],
      ['Files.ReadWrite', 'See, change and delete your files'],
      ['Files.ReadWrite.All', 'See, change and delete all files that you may see'],
      ['Contacts.Read', 'See your contacts'],
      ['Chat.ReadWrite', 'Read and write in your chats'],
      ['ChannelMessage.Send', 'Send messages to channels as you'],
      ['Team.ReadBasic.All', 'See the names of your teams'],
    ]),
  },
  {
    hosts: ['slack.com'],
    words: new Map([
      ['chat:write', 'Send messages'],
      ['channels:read', 'See which public channels there are'],
      ['channels:history', 'Read public channels'],
      ['groups:read', 'See which private channels you are in'],
      ['groups:history', 'Read private channels that you are in'],
      ['im:read', 'See with whom you write'],
      ['im:history', 'Read your direct messages'],
      ['im:write', 'Begin direct messages'],
      ['mpim:history', 'Read group conversations that you are in'],
      ['search:read', 'Search what you can see'],
      ['users:read', 'See who there is'],
      ['users:read.email', 'See the e-mail addresses of people'],
      ['files:read', 'See files that you can see'],
      ['files:write', 'Upload and change files as you'],
    ]),
  },
];
