/** Loads tls-echo.c into Node.js: what its sockets cost when JavaScript still decides each answer. */
import { createRequire } from 'node:module';

interface Echo {
  serve(
    certificate: string,
    key: string,
    authority: string,
    setRequest: (memory: ArrayBuffer) => void,
    onRequest: (length: number) => number,
  ): never;
}

const [addon = '', certificate = '', key = '', authority = ''] = process.argv.slice(2);
const { serve } = createRequire(import.meta.url)(addon) as Echo;
/** Bytes of an answer without news, as the server frames it. */
const answerLength = 190;
let request = new Uint8Array();

serve(
  certificate,
  key,
  authority,
  (memory) => {
    request = new Uint8Array(memory);
  },
  (length) => (request[length - 1] === 2 ? answerLength : 0),
);
