import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Browser as Chromium, Page } from 'playwright-core';
import type { Test } from 'tap';
import { complaintsOf, type Look, looks, newContext, seriousFindings } from './browser.ts';
import type { TestServer } from './server-process.ts';

const stepLimitMs = 60_000;
/** Where the pictures go when somebody wants to look at them. */
const pictures = process.env.VIGO_TEST_PICTURES;

/** One person at one browser; whatever a page complains of is kept. */
export class Person {
  readonly page: Page;
  readonly complaints: string[];
  readonly #origin: string;

  private constructor(page: Page, origin: string) {
    this.page = page;
    this.complaints = complaintsOf(page);
    this.#origin = origin;
    page.setDefaultTimeout(stepLimitMs);
  }

  static async sitsDown(browser: Chromium, server: TestServer): Promise<Person> {
    const context = await newContext(browser, 'light');
    return new Person(await context.newPage(), `https://localhost:${server.run?.apiPort}`);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  async goes(path: string): Promise<void> {
    await this.page.goto(this.#origin + path);
  }

  /** At one of the paths, and its heading is there. */
  async arrives(heading: string | RegExp): Promise<void> {
    await this.page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }

  async fills(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, text] of Object.entries(fields)) {
      await this.page
        .getByLabel(label, { exact: true })
        .and(this.page.locator(':visible'))
        .fill(text);
    }
  }

  async presses(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).filter({ visible: true }).first().waitFor();
  }

  /** The first administrator, with the code that the console of the server shows. */
  async setsUp(server: TestServer, name: string, password: string): Promise<void> {
    const code = /\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b/.exec(server.output)?.[0] ?? '';
    await this.goes('/');
    await this.fills({ 'Code of the console': code, Name: name, Password: password });
    await this.presses('Begin');
    await this.arrives('Overview');
  }

  async logsIn(name: string, secret: string, code?: string): Promise<void> {
    await this.goes('/login');
    await this.fills({ Name: name, Password: secret });
    await this.presses('Log in');
    if (code === undefined) return;
    await this.page.getByLabel('Code', { exact: true }).waitFor();
    await this.fills({ Code: code });
    await this.presses('Log in');
  }
}

/** In every look: nothing serious for people with a screen reader, nothing wider than the screen. */
export async function checkLooks(t: Test, person: Person, name: string): Promise<void> {
  const { page } = person;
  for (const look of Object.keys(looks) as Look[]) {
    const { colorScheme, width, height } = looks[look];
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    t.same(await seriousFindings(page), [], `${name}, ${look}: axe finds nothing serious`);
    const wider = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    t.ok(Number(wider) <= 0, `${name}, ${look}: ${wider} pixels wider than the screen`);
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `${name}-${look}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: looks.light.width, height: looks.light.height });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  t.same(person.complaints.splice(0), [], `${name}: the console is silent`);
}
