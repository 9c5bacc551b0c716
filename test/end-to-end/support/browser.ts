import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Debian's; test/lab/packages.txt names the package. */
export const chromiumPath = '/usr/bin/chromium';
export const hasChromium = existsSync(chromiumPath);

export const looks = {
  light: { colorScheme: 'light', width: 1360, height: 900 },
  dark: { colorScheme: 'dark', width: 1360, height: 900 },
  phone: { colorScheme: 'light', width: 390, height: 844 },
} as const;

export type Look = keyof typeof looks;

/** A real browser without a window. It has no sandbox of its own, because tests run as root. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** Its own cookies and look; certificates of test servers are taken as they are. */
export function newContext(
  browser: Browser,
  look: Look,
  headers: Record<string, string> = {},
): Promise<BrowserContext> {
  const { colorScheme, width, height } = looks[look];
  return browser.newContext({
    colorScheme,
    viewport: { width, height },
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: headers,
    reducedMotion: 'reduce',
  });
}

/** What the page complained of: errors of scripts, and what its policy (CSP) kept away. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

export interface AxeFinding {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly string[];
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** Findings of axe-core against WCAG 2 A and AA that are serious or critical. */
export async function seriousFindings(page: Page): Promise<AxeFinding[]> {
  // Evaluated by the debugger, which the policy of the page does not keep out.
  await page.evaluate(axeSource);
  const violations: unknown = await page.evaluate(`
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
      .then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, impact, help, nodes }) => ({
          id, impact, help, nodes: nodes.slice(0, 5).map(({ html, failureSummary }) =>
            html.slice(0, 200) + ' ' + (failureSummary ?? '').slice(0, 300)),
        })))`);
  return violations as AxeFinding[];
}
