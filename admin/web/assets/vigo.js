/**
 * What the pages do in the browser beside htmx: keys, dialogs, the look, forms that call the API, and
 * the state of the live connection. No inline handlers: attributes name what a thing does.
 */
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);

  // -- the look: system, light, dark ------------------------------------------------------------
  const looks = ['auto', 'light', 'dark'];

  function switchLook() {
    const now = root.dataset.theme ?? 'auto';
    const next = looks[(looks.indexOf(now) + 1) % looks.length];
    if (next === 'auto') delete root.dataset.theme;
    else root.dataset.theme = next;
    // biome-ignore lint/suspicious/noDocumentCookie: CookieStore is not everywhere.
    document.cookie = `vigo_theme=${next}; path=/; max-age=31536000; samesite=lax; secure`;
    for (const button of all('[data-theme-switch]')) {
      button.setAttribute(
        'aria-label',
        `Change between light, dark and the look of the system (now ${next})`,
      );
    }
    toast(next === 'auto' ? 'Look of the system' : `${next === 'dark' ? 'Dark' : 'Light'} look`);
    document.dispatchEvent(new CustomEvent('vigo:look'));
  }

  const untold = 'vigo:done';

  // -- messages ------------------------------------------------------------------------------------
  function toast(text, tone = 'notice', forMs = 4000) {
    const place = one('[data-toasts]');
    if (place === null) return;
    const message = document.createElement('p');
    message.className = `toast state-${tone}`;
    message.textContent = text;
    place.append(message);
    setTimeout(() => message.remove(), forMs);
  }

  /** Where the page is left, the next one tells it. */
  function tell(text, leaves) {
    if (leaves) sessionStorage.setItem(untold, text);
    else toast(text);
  }

  const left = sessionStorage.getItem(untold);
  if (left !== null) {
    sessionStorage.removeItem(untold);
    toast(left);
  }

  // -- forms and buttons that call the API -----------------------------------------------------------
  const fieldValue = (field) => {
    if (field.type === 'checkbox') return field.checked;
    if (field.dataset.as === 'number') return field.value === '' ? undefined : Number(field.value);
    if (field.dataset.as === 'lines') {
      const lines = field.value
        .split(/[\n,]/)
        .map((line) => line.trim())
        .filter((line) => line !== '');
      return lines.length === 0 && !field.required ? undefined : lines;
    }
    return field.value === '' && !field.required ? undefined : field.value;
  };

  /**
   * The fields of a form as the JSON body of its call; a name with dots is a place in it:
   * `grants.0.role` is in the first of a list.
   */
  function bodyOf(form) {
    const body = {};
    for (const field of form.elements) {
      if (field.name === '' || field.disabled) continue;
      if (field.name.startsWith('{')) continue;
      if (field.type === 'radio' && !field.checked) continue;
      const value = fieldValue(field);
      if (value === undefined) continue;
      const path = field.name.split('.');
      const last = path.pop();
      let place = body;
      for (const [at, name] of path.entries()) {
        place = place[name] ??= /^\d+$/.test(path[at + 1] ?? last) ? [] : {};
      }
      place[last] = value;
    }
    return body;
  }

  /** `{name}` in a path is the value of the field of that name. */
  function callOf(element) {
    return element.dataset.api.replaceAll(/\{\w+\}/g, (name) =>
      encodeURIComponent(one(`[name="${CSS.escape(name)}"]`, element)?.value ?? ''),
    );
  }

  async function callApi(call, body) {
    const [method, path] = call.split(' ');
    const response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        'x-requested-with': 'vigo',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    let answer = {};
    try {
      answer = text === '' ? {} : JSON.parse(text);
    } catch {
      answer = { detail: text };
    }
    return { ok: response.ok, status: response.status, answer };
  }

  function wording({ detail, title, remedy, code }, status) {
    const what = detail ?? title ?? `the server answered ${status}`;
    return [what, remedy, code && `(${code})`].filter(Boolean).join(' ');
  }

  async function perform(element, body) {
    const error = one('[data-error]', element.closest('form') ?? element.parentElement ?? document);
    const question = element.dataset.confirm;
    if (question !== undefined && !window.confirm(question)) return;
    const buttons = all('button', element.closest('form') ?? element.parentElement ?? document);
    for (const button of buttons) button.disabled = true;
    if (error !== null) error.textContent = '';
    try {
      const { ok, status, answer } = await callApi(callOf(element), body);
      element.dispatchEvent(
        new CustomEvent('vigo:answer', { bubbles: true, detail: { ok, status, answer } }),
      );
      if (!ok) {
        const text = wording(answer, status);
        if (error === null) toast(text, 'bad', 10000);
        else error.textContent = text;
        if (answer.code !== undefined) revealFor(element, answer.code);
        return;
      }
      follow(element, answer);
    } catch {
      const text = 'The server cannot be reached. Try again in a moment.';
      if (error === null) toast(text, 'bad', 10000);
      else error.textContent = text;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** A part of the form that only a certain refusal asks for, such as the second factor. */
  function revealFor(element, code) {
    for (const hidden of all(`[data-when~="${CSS.escape(code)}"]`, element)) {
      hidden.hidden = false;
      for (const field of all('input', hidden)) field.disabled = false;
      one('input', hidden)?.focus();
    }
  }

  /** Where to go when it was done, or what to tell; the answer can be shown where it is asked for. */
  function follow(element, answer) {
    const { then, done, show, step: next } = element.dataset;
    // Such as "challenge:second-factor": an answer with a challenge leads to that form.
    const [field, place] = next?.split(':') ?? [];
    if (field !== undefined && answer[field] !== undefined) {
      element.hidden = true;
      fill(place, answer);
      return;
    }
    if (done !== undefined) tell(done, then !== undefined && then !== 'refresh');
    if (show !== undefined) {
      element.closest('dialog')?.close();
      fill(show, answer);
    }
    if (then === 'reload') location.reload();
    else if (then === 'refresh') document.body.dispatchEvent(new Event('vigo:refresh'));
    else if (then !== undefined) location.assign(placeIn(then, answer));
  }

  /** `/policy/{version}` with what the answer says. */
  function placeIn(then, answer) {
    return then.replaceAll(/\{(\w+)\}/g, (_whole, name) => encodeURIComponent(answer[name] ?? ''));
  }

  function fill(id, answer) {
    const place = document.getElementById(id);
    for (const spot of all('[data-field]', place)) {
      const value = spot.dataset.field.split('.').reduce((held, name) => held?.[name], answer);
      if (spot instanceof HTMLInputElement) spot.value = value ?? '';
      else spot.textContent = Array.isArray(value) ? value.join('\n') : (value ?? '');
    }
    for (const image of all('img[data-qr]', place)) void drawCode(image, answer[image.dataset.qr]);
    place.hidden = false;
    if (place instanceof HTMLDialogElement) place.showModal();
    else one('input:not([type="hidden"])', place)?.focus();
  }

  /** The server draws it; the text is a secret, so it goes in a body and not in an address. */
  async function drawCode(image, text) {
    const { ok, answer } = await callApi('POST /account/code', { text });
    if (ok) image.src = `data:image/svg+xml;base64,${btoa(answer.svg)}`;
  }

  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.api === undefined) return;
    event.preventDefault();
    void perform(form, bodyOf(form));
  });

  // A key of this browser has proven somebody: on to the page, or to the code of the second factor.
  document.addEventListener('vigo:proven', (event) => {
    const form = event.target.closest('form[data-step]');
    if (form === null) return;
    event.preventDefault();
    follow(form, event.detail);
  });

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target === null) return;
    const button = target.closest('button, a');
    if (target.closest('[data-theme-switch]') !== null) switchLook();
    if (target.closest('[data-menu]') !== null) toggleMenu();
    else if (one('.sidebar.open') !== null && target.closest('.sidebar') === null)
      toggleMenu(false);
    if (target instanceof HTMLDialogElement) target.close();
    if (button === null) return;
    if (button.dataset.dialog !== undefined) openDialog(button.dataset.dialog);
    if (button.dataset.api !== undefined && button.tagName === 'BUTTON') {
      const given = button.dataset.body;
      void perform(button, given === undefined ? undefined : JSON.parse(given));
    }
    if (button.dataset.copy !== undefined) void copy(button);
  });

  async function copy(button) {
    const place = document.getElementById(button.dataset.copy);
    const text = place instanceof HTMLInputElement ? place.value : (place?.textContent ?? '');
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied');
    } catch {
      getSelection()?.selectAllChildren(place);
      toast('Marked: copy it with the keys of your system', 'warning');
    }
  }

  // -- menu and dialogs ----------------------------------------------------------------------------
  function toggleMenu(open) {
    const sidebar = document.getElementById('sidebar');
    const shown = sidebar?.classList.toggle('open', open) ?? false;
    one('[data-menu]')?.setAttribute('aria-expanded', String(shown));
    if (shown) one('a', sidebar)?.focus();
  }

  function openDialog(id) {
    const dialog = document.getElementById(id);
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  }

  // -- keys ------------------------------------------------------------------------------------------
  let waitingForPlace = 0;

  function step(by) {
    const rows = all('[data-rows] tbody tr');
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => row.getAttribute('aria-selected') === 'true');
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    rows[at]?.removeAttribute('aria-selected');
    next.setAttribute('aria-selected', 'true');
    one('a', next)?.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  }

  function goTo(key) {
    const place = one(`[data-go="${CSS.escape(key)}"]`);
    if (place !== null) location.assign(place.dataset.path);
  }

  const actions = {
    '/': () => one('[data-search]')?.focus(),
    '?': () => openDialog('keys'),
    t: switchLook,
    j: () => step(1),
    k: () => step(-1),
    n: () => one('a[rel="next"]')?.click(),
    p: () => one('a[rel="prev"]')?.click(),
    g: () => {
      waitingForPlace = Date.now();
    },
  };

  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (key === 'Escape') toggleMenu(false);
    const typing = target instanceof Element && target.closest('input, textarea, select, dialog');
    if (key === 'Escape' && typing) target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Date.now() - waitingForPlace < 1500) {
      waitingForPlace = 0;
      event.preventDefault();
      goTo(key);
      return;
    }
    const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  });

  // -- times that stay true while the page stands ------------------------------------------------------
  const spans = [
    [86400000, 'd'],
    [3600000, 'h'],
    [60000, 'min'],
    [1000, 's'],
  ];

  function ago(ms) {
    const [size, unit] = spans.find(([least]) => ms >= least) ?? [1000, 's'];
    return ms < 1000 ? 'now' : `${Math.floor(ms / size)} ${unit} ago`;
  }

  /** The clock of this machine may be wrong: ages are counted from what the server said. */
  const serverOffsetMs = Number(one('[data-now]')?.dataset.now ?? Date.now()) - Date.now();

  function tellTimes() {
    const nowMs = Date.now() + serverOffsetMs;
    for (const time of all('time[data-at]')) {
      const atMs = Number(time.dataset.at);
      if (time.title === '') time.title = new Date(atMs).toLocaleString();
      if (time.dataset.form === 'ago') {
        const text = ago(Math.max(0, nowMs - atMs));
        if (time.textContent !== text) time.textContent = text;
      }
    }
  }
  tellTimes();
  setInterval(tellTimes, 1000);

  // -- the live connection --------------------------------------------------------------------------
  function live(state, text) {
    for (const place of all('[data-live-state]')) {
      place.dataset.state = state;
      if (place.textContent !== text) place.textContent = text;
    }
  }
  document.addEventListener('htmx:sse:after:connection', () => live('live', 'Live'));
  document.addEventListener('htmx:sse:error', ({ detail }) => {
    live('lost', 'Reconnecting');
    // The session ended: the page itself leads to the login, and back here.
    if (detail.status === 401) location.reload();
  });
  document.addEventListener('htmx:sse:close', () => live('lost', 'Not live'));
  document.addEventListener('htmx:response:error', () => live('lost', 'Not up to date'));
  document.addEventListener('htmx:after:swap', tellTimes);

  // -- live parts: what they have, and of which news they ask --------------------------------------
  /** Of the part as it stands in the page; the server answers nothing when it would be the same. */
  const tags = new WeakMap();

  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    const region = ctx.sourceElement;
    if (region?.dataset?.liveRegion === undefined) return;
    const { headers } = ctx.request;
    const { type, detail } = ctx.sourceEvent ?? {};
    if (tags.has(region)) headers['If-None-Match'] = tags.get(region);
    if ((type === 'news' || type === 'reset') && detail?.id) headers['Vigo-News'] = detail.id;
  });

  document.addEventListener('htmx:after:request', ({ detail: { ctx } }) => {
    const region = ctx.sourceElement;
    if (region?.dataset?.liveRegion === undefined || ctx.response.status !== 200) return;
    const tag = ctx.response.headers.get('etag');
    if (tag === null) tags.delete(region);
    else tags.set(region, tag);
  });

  /** A log that grows at its top while it is looked at. What comes in is text, never markup. */
  const logLinesMax = 200;

  function wordsOf(event) {
    const { type, data = {}, actor } = event;
    const told = Object.entries(data).filter(([name]) => !['hostname', 'runId'].includes(name));
    const words = told.map(([name, value]) => `${name} ${value}`).join(', ');
    return [type, words, actor].filter(Boolean).join(' · ');
  }

  document.addEventListener('htmx:sse:before:message', ({ detail }) => {
    const log = one('[data-live-log]');
    if (log === null || !detail.message.data) return;
    let event;
    try {
      event = JSON.parse(detail.message.data);
    } catch {
      return;
    }
    if (event.type === undefined || event.atMs === undefined) return;
    const line = document.createElement('li');
    const time = document.createElement('time');
    time.textContent = new Date(event.atMs).toLocaleTimeString();
    time.className = 'muted';
    const words = document.createElement('span');
    words.textContent = wordsOf(event);
    line.className = 'changed';
    line.append(time, words);
    log.prepend(line);
    one('[data-live-log-empty]')?.setAttribute('hidden', '');
    while (log.children.length > logLinesMax) log.lastElementChild.remove();
  });
})();
