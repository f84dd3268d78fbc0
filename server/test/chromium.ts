import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.SALLYPORT_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** `false` where there is a real browser to test with; else why not. */
export const noChromium = existsSync(executablePath) ? false : `there is no Chromium at ${executablePath}`;

/** A real browser, that says nothing to anybody but the pages it opens. */
export async function startChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
