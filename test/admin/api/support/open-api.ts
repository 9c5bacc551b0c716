import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AccountRole } from '../../../../actors/accounts/messages.ts';
import type { ApiCredential } from '../../../../admin/api/authenticate.ts';
import type { Backend } from '../../../../admin/api/backend.ts';
import { refusalResponse } from '../../../../admin/api/http/respond.ts';
import { type EdgeLimits, edgeLimits, openNodeEdge } from '../../../../admin/api/node-edge.ts';
import type { Route } from '../../../../admin/api/route.ts';
import { routeTable } from '../../../../admin/api/route-table.ts';
import { Router } from '../../../../admin/api/router.ts';
import { type TestAuthority, testAuthority } from '../../../support/test-authority.ts';
import { fakeBackend } from '../fake-backend.ts';

let authority: Promise<TestAuthority> | undefined;

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Everything that stands between a socket and the actors, on a free port of the loopback. */
export async function openApi(
  t: { teardown(run: () => Promise<void>): void },
  backend: Backend = fakeBackend(),
  limits: Partial<EdgeLimits> = {},
  pages: readonly Route[] = [],
) {
  authority ??= testAuthority();
  const { authority: ca, serverCertificate, serverKey } = await authority;
  const credentials = new Map<string, ApiCredential>();
  const router = new Router(
    routeTable,
    backend,
    {
      find: (hash) => credentials.get(hash),
      nowMs: () => Date.now(),
      used: () => undefined,
    },
    undefined,
    pages,
  );
  const edge = await openNodeEdge(
    {
      host: '127.0.0.1',
      port: 0,
      certificatePem: serverCertificate,
      keyPem: serverKey,
      bodyBytesMax: router.bodyBytesMax,
      handle: router.handle,
      handleUpgrade: router.handleUpgrade,
      tooLarge: refusalResponse('API_TOO_LARGE'),
      malformed: refusalResponse,
    },
    { ...edgeLimits, drainMs: 20, ...limits },
  );
  t.teardown(async () => {
    backend.live.close();
    await edge.close();
  });
  const ask = { host: '127.0.0.1', port: edge.port, ca: ca.certificatePem, agent: false } as const;
  const start = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request({ ...ask, method, path, headers }, resolve)
        .on('error', reject)
        .end(body);
    });
  return {
    port: edge.port,
    ca: ca.certificatePem,
    /** Lets this token in; returns the header that carries it. */
    allow(token: string, role: AccountRole, more: Partial<ApiCredential> = {}) {
      const tokenSha256 = createHash('sha256').update(token).digest('hex');
      const name = more.name ?? token;
      credentials.set(tokenSha256, { tokenSha256, role, tokenId: token, ...more, name });
      return { authorization: `Bearer ${token}` };
    },
    /** The answer as it begins; its body is still to be read. */
    start,
    async call(
      method: string,
      path: string,
      headers: Record<string, string> = {},
      body?: string,
    ): Promise<Received> {
      const message = await start(method, path, headers, body);
      let text = '';
      for await (const chunk of message.setEncoding('utf8')) text += String(chunk);
      return { status: message.statusCode ?? 0, headers: message.headers, text };
    },
  };
}

export type OpenApi = Awaited<ReturnType<typeof openApi>>;
