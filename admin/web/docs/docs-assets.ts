import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Type } from 'typebox';
import { StaticAsset } from '../../api/http/static-asset.ts';
import { route } from '../../api/route.ts';
import { nothing, object } from '../../api/schemas.ts';
import { AdminError } from '../../errors.ts';

const packaged = createRequire(import.meta.url);
const own = (name: string) => new URL(`../assets/${name}`, import.meta.url).pathname;
const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/** Megabytes that few people look at: read when somebody does. */
const sources = {
  'swagger-ui.js': [packaged.resolve('swagger-ui-dist/swagger-ui-bundle.js'), script],
  'swagger-ui.css': [packaged.resolve('swagger-ui-dist/swagger-ui.css'), style],
  'swagger-init.js': [own('docs/swagger-init.js'), script],
  'redoc.js': [own('vendor/redoc.standalone.js'), script],
  'redoc-init.js': [own('docs/redoc-init.js'), script],
  'docs.css': [own('docs/docs.css'), style],
} as const satisfies Record<string, readonly [file: string, mediaType: string]>;

export type DocsAsset = keyof typeof sources;

/** ReDoc shows a picture from a server of others; here it gets an empty one. */
const foreignPicture = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const emptyPicture = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";

function withoutForeign(bytes: Buffer): Buffer {
  const text = bytes.toString('utf8');
  return text.includes(foreignPicture)
    ? Buffer.from(text.replaceAll(foreignPicture, emptyPicture))
    : bytes;
}

const loaded = new Map<string, Promise<StaticAsset>>();

function load(name: DocsAsset): Promise<StaticAsset> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const [file, mediaType] = sources[name];
  const asset = readFile(file).then((bytes) => new StaticAsset(withoutForeign(bytes), mediaType));
  loaded.set(name, asset);
  return asset;
}

/** Where the page loads it from; changes with the content. */
export async function docsAssetPath(name: DocsAsset): Promise<string> {
  return `/docs/assets/${(await load(name)).hashedName(name)}`;
}

/** Public, because it says nothing of this server: what is described needs a login. */
export const docsAssetRoute = route({
  method: 'GET',
  path: '/docs/assets/{name}',
  summary: 'What the pages on the API load',
  access: 'public',
  parameters: object({ name: Type.String({ maxLength: 100 }) }),
  query: nothing,
  body: undefined,
  handle: async ({ parameters, header }) => {
    const plain = parameters.name.replace(/\.[\w-]{16}(\.[a-z]+)$/, '$1');
    if (!Object.hasOwn(sources, plain)) {
      throw new AdminError('API_NOT_FOUND', `asset ${parameters.name}`);
    }
    const asset = await load(plain as DocsAsset);
    if (asset.hashedName(plain) !== parameters.name) {
      throw new AdminError('API_NOT_FOUND', `asset ${parameters.name}`);
    }
    return await asset.answer(header);
  },
});
