import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Type } from 'typebox';
import { StaticAsset } from '../api/http/static-asset.ts';
import { type Route, route } from '../api/route.ts';
import { nothing, object } from '../api/schemas.ts';
import { AdminError } from '../errors.ts';

const ownAsset = (name: string) => new URL(`assets/${name}`, import.meta.url).pathname;
const packaged = createRequire(import.meta.url);

/** What the pages load, by the name that pages use. Read once, when the web thread starts. */
const sources: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  'vigo.css': { file: ownAsset('vigo.css'), type: 'text/css; charset=utf-8' },
  'vigo.js': { file: ownAsset('vigo.js'), type: 'text/javascript; charset=utf-8' },
  'charts.css': { file: ownAsset('charts.css'), type: 'text/css; charset=utf-8' },
  'control.css': { file: ownAsset('control.css'), type: 'text/css; charset=utf-8' },
  'zoom-chart.js': { file: ownAsset('zoom-chart.js'), type: 'text/javascript; charset=utf-8' },
  'audit-proof.js': { file: ownAsset('audit-proof.js'), type: 'text/javascript; charset=utf-8' },
  'key-login.js': { file: ownAsset('key-login.js'), type: 'text/javascript; charset=utf-8' },
  'ed25519.js': {
    file: packaged.resolve('@noble/ed25519'),
    type: 'text/javascript; charset=utf-8',
  },
  'uplot.js': {
    file: packaged.resolve('uplot/dist/uPlot.esm.js'),
    type: 'text/javascript; charset=utf-8',
  },
  'uplot.css': {
    file: packaged.resolve('uplot/dist/uPlot.min.css'),
    type: 'text/css; charset=utf-8',
  },
  'favicon.svg': { file: ownAsset('favicon.svg'), type: 'image/svg+xml' },
  'htmx.js': {
    file: packaged.resolve('htmx.org/dist/htmx.min.js'),
    type: 'text/javascript; charset=utf-8',
  },
  'htmx-sse.js': {
    file: packaged.resolve('htmx.org/dist/ext/hx-sse.min.js'),
    type: 'text/javascript; charset=utf-8',
  },
};

const addresses = new Map<string, string>();
const assets = new Map<string, StaticAsset>();
for (const [name, { file, type }] of Object.entries(sources)) {
  const asset = new StaticAsset(readFileSync(file), type);
  const address = asset.hashedName(name);
  addresses.set(name, `/assets/${address}`);
  assets.set(address, asset);
}

/** The address of an asset; it changes with the content, so browsers may keep it for ever. */
export function assetPath(name: keyof typeof sources & string): string {
  const address = addresses.get(name);
  if (address === undefined) throw new AdminError('API_NOT_FOUND', `asset ${name}`);
  return address;
}

export const assetRoute: Route = route({
  method: 'GET',
  path: '/assets/{name}',
  summary: 'What the pages load: styles, scripts, pictures',
  access: 'public',
  parameters: object({ name: Type.String({ maxLength: 100 }) }),
  query: nothing,
  body: undefined,
  handle: async ({ parameters, header }) => {
    const asset = assets.get(parameters.name);
    if (asset === undefined) throw new AdminError('API_NOT_FOUND', `asset ${parameters.name}`);
    return await asset.answer(header);
  },
});
