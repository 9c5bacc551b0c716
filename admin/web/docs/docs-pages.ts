import { type Route, route } from '../../api/route.ts';
import { nothing } from '../../api/schemas.ts';
import { assetPath } from '../assets.ts';
import { type Html, html } from '../html.ts';
import { htmlAnswer, refusedPage } from '../page.ts';
import { pageHeaders } from '../security-headers.ts';
import { type DocsAsset, docsAssetPath, docsAssetRoute } from './docs-assets.ts';

interface DocsPage {
  readonly path: string;
  readonly title: string;
  readonly scripts: readonly DocsAsset[];
  readonly styles: readonly DocsAsset[];
  /** Hashes of inline styles that the library adds: an empty one, which it then fills by script, and its own. */
  readonly inlineStyles: readonly string[];
}

const pages: readonly DocsPage[] = [
  {
    path: '/docs',
    title: 'API (Swagger UI)',
    scripts: ['swagger-ui.js', 'swagger-init.js'],
    styles: ['swagger-ui.css', 'docs.css'],
    inlineStyles: [],
  },
  {
    path: '/redoc',
    title: 'API (ReDoc)',
    scripts: ['redoc.js', 'redoc-init.js'],
    styles: ['docs.css'],
    inlineStyles: [
      'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc=',
    ],
  },
];

/** The description of the API for people who are logged in; strangers are sent to the login. */
export const docsRoutes: readonly Route[] = [
  docsAssetRoute,
  ...pages.map((page) =>
    route({
      method: 'GET',
      path: page.path,
      summary: `The description of the API: ${page.title}`,
      access: 'access.self',
      parameters: nothing,
      query: nothing,
      body: undefined,
      handle: async () => htmlAnswer(200, await pageMarkup(page), policyOf(page)),
      refuse: refusedPage,
    }),
  ),
];

function policyOf({ inlineStyles }: DocsPage): Record<string, string> {
  const name = 'content-security-policy';
  const hashes = inlineStyles.map((hash) => ` '${hash}'`).join('');
  return {
    [name]: pageHeaders[name]?.replace("style-src 'self'", `style-src 'self'${hashes}`) ?? '',
  };
}

async function pageMarkup({ title, scripts, styles }: DocsPage): Promise<Html> {
  const scriptPaths = await Promise.all(scripts.map(docsAssetPath));
  const stylePaths = await Promise.all(styles.map(docsAssetPath));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · Vigo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="${assetPath('favicon.svg')}" type="image/svg+xml">
${stylePaths.map((path) => html`<link rel="stylesheet" href="${path}">\n`)}
${scriptPaths.map((path) => html`<script src="${path}" defer></script>\n`)}
</head>
<body>
<nav class="docs-bar" aria-label="Pages"><a href="/">Vigo</a><a href="/docs">Swagger UI</a><a href="/redoc">ReDoc</a><a href="/api/v1/openapi.json">openapi.json</a></nav>
<main id="docs"></main>
</body>
</html>
`;
}
