/**
 * Login by a key that lives in this browser. The private half never leaves it: where WebCrypto knows
 * Ed25519 it cannot even be read here, elsewhere it is kept sealed and signs by @noble/ed25519.
 *
 * Buttons: [data-key-login] logs in (the name from [name=name] or data-account, then to data-then),
 * [data-key-register] makes a key for data-account, [data-key-forget] drops it. What goes wrong stands in
 * the [data-error] of the same form or panel. A button for which there is nothing to do stays hidden.
 */

const algorithm = 'Ed25519';
const sealing = 'AES-GCM';
const challengeForm =
  /^vigo login v1\nserver: [^\n]+\nauthority: [0-9a-f]{64}\naccount: ([^\n]+)\nnonce: [\w-]{43}\nexpires: \d+\n$/;

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/** Keys of this browser, one for each account, in IndexedDB; a Map will do for tests. */
export function browserStore(name = 'vigo-login') {
  const run = (mode, use) =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const database = opening.result;
        const transaction = database.transaction('keys', mode);
        const request = use(transaction.objectStore('keys'));
        transaction.oncomplete = () => {
          database.close();
          resolve(request.result);
        };
        transaction.onerror = () => reject(transaction.error);
        transaction.onabort = () => reject(transaction.error);
      };
    });
  return {
    get: (account) => run('readonly', (keys) => keys.get(account)),
    set: (account, key) => run('readwrite', (keys) => keys.put(key, account)),
    delete: (account) => run('readwrite', (keys) => keys.delete(account)),
    accounts: () => run('readonly', (keys) => keys.getAllKeys()),
  };
}

/** `call(method, path, body)` speaks to the API and throws its refusals; `noble()` loads the library. */
export function keyLogin({ store, call, noble, subtle = crypto.subtle }) {
  async function nativeKey() {
    const pair = await subtle.generateKey(algorithm, false, ['sign', 'verify']);
    const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
    return { publicKey, privateKey: pair.privateKey };
  }

  async function sealedKey() {
    const { utils, getPublicKeyAsync } = await noble();
    const secret = utils.randomSecretKey();
    const publicKey = await getPublicKeyAsync(secret);
    const sealedBy = await subtle.generateKey({ name: sealing, length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await subtle.encrypt({ name: sealing, iv }, sealedBy, secret);
    secret.fill(0);
    return { publicKey, sealed, sealedBy, iv };
  }

  async function sign(key, text) {
    const bytes = new TextEncoder().encode(text);
    if (key.privateKey !== undefined) return subtle.sign(algorithm, key.privateKey, bytes);
    const { signAsync } = await noble();
    const opened = await subtle.decrypt({ name: sealing, iv: key.iv }, key.sealedBy, key.sealed);
    const secret = new Uint8Array(opened);
    try {
      return await signAsync(bytes, secret);
    } finally {
      secret.fill(0);
    }
  }

  return {
    /** Names of accounts that have a key here. */
    accounts: async () => [...(await store.accounts())],

    /** Makes a key and tells the server its public half; it takes a login of the last ten minutes. */
    async register(account, comment) {
      const key = await nativeKey().catch(() => sealedKey());
      const body = { key: base64(key.publicKey), comment };
      const { fingerprint } = await call('POST', '/api/v1/account/keys', body);
      await store.set(account, { ...key, fingerprint });
      return { fingerprint };
    },

    /**
     * Logs in; the server sets the cookie, or answers with a challenge for a code of the second factor.
     * Signs nothing but a login of this account.
     */
    async login(account) {
      const key = await store.get(account);
      if (key === undefined) throw new Error(`this browser has no key of ${account}`);
      const asked = await call('POST', '/api/v1/login/challenge', { account });
      const { challenge, seal } = asked;
      if (challengeForm.exec(challenge)?.[1] !== account) {
        throw new Error('the server asks to sign something else than this login');
      }
      const signature = base64(await sign(key, challenge));
      const ed25519 = { publicKey: base64(key.publicKey), signature };
      return await call('POST', '/api/v1/login/key', { account, challenge, seal, ed25519 });
    },

    /** Drops the key here, and at the server as far as it still knows it. */
    async forget(account) {
      const key = await store.get(account);
      if (key === undefined) return;
      await store.delete(account);
      const inPath = key.fingerprint.replaceAll('+', '-').replaceAll('/', '_');
      const path = `/api/v1/account/keys/${encodeURIComponent(inPath)}`;
      await call('DELETE', path).catch((error) => {
        if (error.status !== 404 && error.status !== 401) throw error;
      });
    },
  };
}

async function callApi(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { detail = `the server answered ${response.status}`, remedy, code } = answer;
  const words = [detail, remedy, code && `(${code})`].filter(Boolean).join(' ');
  throw Object.assign(new Error(words), { status: response.status });
}

function wire(script) {
  const login = keyLogin({
    store: browserStore(),
    call: callApi,
    noble: () => import(script.dataset.noble),
  });
  const place = (button) => button.closest('form, .panel') ?? document.body;
  const accountOf = (button) =>
    button.dataset.account ?? place(button).querySelector('[name=name]')?.value.trim() ?? '';
  const deeds = {
    login: async (button) => {
      const known = await login.accounts();
      const account = accountOf(button) || (known.length === 1 ? known[0] : '');
      if (account === '') throw new Error(`whose key? It has those of: ${known.join(', ')}`);
      const answer = await login.login(account);
      const proven = new CustomEvent('vigo:proven', {
        bubbles: true,
        cancelable: true,
        detail: answer,
      });
      // A form that knows where to ask for a second factor goes on from here.
      if (!button.dispatchEvent(proven)) return;
      if (answer.challenge !== undefined) {
        throw new Error('this account has a second factor: log in on the login page');
      }
      location.assign(button.dataset.then ?? '/');
    },
    register: async (button) => {
      const platform = navigator.userAgentData?.platform ?? navigator.platform ?? '';
      await login.register(accountOf(button), `browser ${platform}`.trim());
      location.reload();
    },
    forget: async (button) => {
      await login.forget(accountOf(button));
      location.reload();
    },
  };
  const wanted = { login: true, register: false, forget: true };

  async function show() {
    const known = await login.accounts().catch(() => []);
    for (const deed of Object.keys(deeds)) {
      for (const button of document.querySelectorAll(`[data-key-${deed}]`)) {
        const account = button.dataset.account;
        const has = account === undefined ? known.length > 0 : known.includes(account);
        button.hidden = has !== wanted[deed];
      }
    }
  }

  document.addEventListener('click', async (event) => {
    const found = Object.keys(deeds)
      .map((deed) => [deed, event.target.closest(`[data-key-${deed}]`)])
      .find(([, button]) => button !== null);
    if (found === undefined) return;
    event.preventDefault();
    const [deed, button] = found;
    const error = place(button).querySelector('[data-error]');
    if (error) error.textContent = '';
    button.disabled = true;
    try {
      await deeds[deed](button);
    } catch (failure) {
      if (error) error.textContent = failure.message;
    } finally {
      button.disabled = false;
    }
  });
  document.addEventListener('htmx:after:swap', show);
  show();
}

const script = globalThis.document?.getElementById('key-login');
if (script) wire(script);
