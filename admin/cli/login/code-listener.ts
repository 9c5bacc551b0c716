import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const page = (title: string, text: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${text}</p></html>\n`;
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'",
  'referrer-policy': 'no-referrer',
  connection: 'close',
};
const headBytesMax = 16 * 1024;

/** Waits on the loopback of this machine for the code that a browser brings (RFC 8252, section 7.3). */
export class CodeListener {
  /** Of the first request to `/<path>?code=...`. */
  readonly code: Promise<string>;
  readonly #server: Server;

  private constructor(server: Server, code: Promise<string>) {
    this.#server = server;
    this.code = code;
  }

  /** `path` is known only to who saw the address. */
  static async open(path: string): Promise<CodeListener> {
    let brought = (_code: string) => {};
    const arrival = new Promise<string>((resolve) => {
      brought = resolve;
    });
    const server = createServer({ maxHeaderSize: headBytesMax }, (request, response) => {
      const asked = URL.parse(request.url ?? '', 'http://127.0.0.1');
      const code = asked?.pathname === `/${path}` ? asked.searchParams.get('code') : null;
      if (request.method !== 'GET' || !code) {
        response.writeHead(404, headers).end(page('Not here', 'There is nothing here.'));
        return;
      }
      response
        .writeHead(200, headers)
        .end(page('Back to vigocli', 'It says whether you are logged in. Close this page.'), () =>
          brought(code),
        );
    });
    await new Promise<void>((done, fail) => {
      server.once('error', fail).listen(0, '127.0.0.1', done);
    });
    return new CodeListener(server, arrival);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
