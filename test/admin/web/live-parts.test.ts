import { setTimeout as pause } from 'node:timers/promises';
import type { Page, Response } from 'playwright-core';
import t from 'tap';
import { pageTable } from '../../../admin/web/page-table.ts';
import { newContext, openBrowser } from '../../end-to-end/support/browser.ts';
import { requires } from '../../support/requires.ts';
import { fakeBackend } from '../api/fake-backend.ts';
import { openApi } from '../api/support/open-api.ts';

t.setTimeout(300_000);

const patienceMs = 60_000;
const pollMs = 20;
const loadsMax = 3;
const loadMs = 15_000;
/** A browser that hardly gets the processor is no attack. */
const patient = {
  handshakeTimeoutMs: patienceMs,
  headersTimeoutMs: patienceMs,
  requestTimeoutMs: patienceMs,
};

async function came(what: () => boolean, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; !what(); waitedMs += pollMs) {
    if (waitedMs > withinMs) return false;
    await pause(pollMs);
  }
  return true;
}

async function until(what: () => boolean): Promise<void> {
  if (!(await came(what, patienceMs))) throw new Error(`waited in vain for ${what}`);
}

/** A page of the dashboard in a real browser; `refreshes` are the answers to its live part. */
async function open(t: { teardown(run: () => Promise<void>): void }, path: string) {
  const backend = fakeBackend();
  const api = await openApi(t, backend, patient, pageTable);
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  const context = await newContext(browser, 'light', api.allow('vgot_watch', 'viewer'));
  const page = await context.newPage();
  const refreshes: Response[] = [];
  page.on('response', (response) => {
    const headers = response.request().headers();
    if (headers['hx-request'] !== undefined && !response.url().includes('/api/')) {
      refreshes.push(response);
    }
  });
  // A browser on a machine that is very busy may give up on its first connection: people load again.
  for (let left = loadsMax; left > 0; left -= 1) {
    await page.goto(`https://127.0.0.1:${api.port}${path}`);
    if (await came(() => backend.live.viewers === 1, loadMs)) break;
  }
  await until(() => backend.live.viewers === 1);
  const happen = () => backend.live.tell([{ type: 'run.finished', atMs: 1, data: {} }]);
  return { page, live: backend.live, refreshes, happen };
}

/** As the browser does when another tab is chosen. */
async function show(page: Page, visible: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, value: ${!visible} });
    document.dispatchEvent(new Event('visibilitychange'));`);
}

const skip = requires('command:chromium');
t.test('a page asks upon news, says what it has, and is not sent it again', { skip }, async (t) => {
  const { live, refreshes, happen } = await open(t, '/runs');
  happen();
  await until(() => refreshes.length === 1);
  const [first] = refreshes;
  t.equal(first?.status(), 200);
  t.equal(first?.request().headers()['vigo-news'], String(live.journal.newest));
  const { etag } = (await first?.allHeaders()) ?? {};
  happen();
  await until(() => refreshes.length === 2);
  t.equal(refreshes[1]?.status(), 304);
  t.equal(refreshes[1]?.request().headers()['if-none-match'], etag);
});

t.test(
  'a page that nobody sees costs nothing, and catches up when it is shown',
  { skip },
  async (t) => {
    const { page, live, refreshes, happen } = await open(t, '/runs');
    await show(page, false);
    await until(() => live.viewers === 0);
    happen();
    happen();
    t.equal(refreshes.length, 0, 'it holds no stream, so it hears of nothing');
    await show(page, true);
    await until(() => refreshes.length === 1);
    t.equal(live.viewers, 1);
    t.equal(refreshes[0]?.request().headers()['vigo-news'], String(live.journal.newest));
  },
);
