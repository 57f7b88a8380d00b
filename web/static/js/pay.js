// The buyer's page: opens the gateway's window inside the click, waits behind it, follows the truth.
// The server's page is the truth; this only fetches it again when told that it changed.

const paths = JSON.parse(document.getElementById("pay-paths")?.textContent ?? "null");
const back = document.querySelector("[data-pay-back]");
if (back) comeBack(back.dataset.payBack);
// A form that only has to be handed on to the gateway goes by itself.
document.querySelector("form[data-hand-over]")?.submit();
if (paths) start();

// In the gateway's popup: tell the page behind, close. A browser that won't close it goes on to the result here.
function comeBack(self) {
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("pay:" + self) : null;
  channel?.postMessage("back");
  let popup = window.name === "payWindow";
  try {
    if (window.opener && window.opener !== window) {
      popup = true;
      window.opener.postMessage({ pay: self }, location.origin);
    }
  } catch {
    // The opener is gone or not ours: the broadcast has told everyone who listens.
  }
  if (popup) window.close();
  setTimeout(() => location.replace(self), popup ? 400 : 0);
}

function start() {
  let popup = null; // the gateway's window, while we know of it
  let timer = 0; // watches whether it was closed
  let device = guessDevice();

  const main = () => document.getElementById("main");
  const form = () => document.getElementById("pay");
  const panels = () => document.querySelectorAll("[data-panel]");

  // iPads say that they are Macs; a Mac has no touch screen.
  function isIPad() {
    return navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1;
  }

  function guessDevice() {
    if (isIPad()) return "mobile";
    return /Android|iPhone|iPad|iPod|Mobile|KAKAOTALK/i.test(navigator.userAgent) ? "mobile" : "pc";
  }

  function show(name) {
    for (const panel of panels()) panel.hidden = panel.dataset.panel !== name;
    document.querySelector(`[data-panel="${name}"]`)?.scrollIntoView({ block: "nearest" });
  }

  function lock(on) {
    form()?.classList.toggle("locked", on);
    for (const button of form()?.querySelectorAll(".pay-foot button") ?? []) button.disabled = on;
  }

  // What was chosen last time is chosen again.
  function remember() {
    const wanted = new URLSearchParams(location.search).get("method") ?? read("pay-method");
    const radio = wanted && form()?.querySelector(`input[name="method"][value="${CSS.escape(wanted)}"]`);
    if (radio && !form().querySelector("[aria-invalid]")) radio.checked = true;
    const hint = document.querySelector("[data-ipad]");
    if (hint) hint.hidden = !(isIPad() && device === "mobile");
  }

  function read(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is off
    }
  }

  function keep(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // storage is off: nothing is remembered
    }
  }

  function openWindow() {
    const left = Math.max(0, window.screenX + (window.outerWidth - 545) / 2);
    const top = Math.max(0, window.screenY + (window.outerHeight - 573) / 2);
    const win = window.open("", "payWindow", `width=545,height=573,left=${left},top=${top},status=yes,toolbar=no,location=no,menubar=no,scrollbars=no,resizable=no`);
    return win && !win.closed ? win : null;
  }

  // pay runs inside the click. use is a method that a button chose by itself; here forces the same tab.
  function pay({ use = "", here = false } = {}) {
    const data = new URLSearchParams(new FormData(form()));
    if (use) data.set("method", use);
    else keep("pay-method", data.get("method"));
    data.set("device", device);
    let win = null;
    if (device === "pc" && !here) {
      win = openWindow();
      if (!win) {
        const again = document.querySelector('[data-panel="blocked"]:not([hidden])');
        show("blocked");
        if (again) document.querySelector("[data-open-here]").hidden = false;
        document.querySelector("[data-open-window]").dataset.use = use;
        document.querySelector("[data-open-here]").dataset.use = use;
        return;
      }
    }
    lock(true);
    show(win ? "opening" : "leaving");
    open(data, win);
  }

  async function open(data, win) {
    let answer;
    try {
      const response = await fetch(paths.open, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
        body: data,
      });
      answer = await response.json();
    } catch {
      answer = {};
    }
    if (answer.action) {
      submit(answer, win);
      if (win) watch(win);
      return;
    }
    win?.close();
    lock(false);
    if (answer.url) return location.replace(answer.url);
    fail(answer);
  }

  function fail(answer) {
    const words = document.querySelector("[data-fault]");
    if (answer.text) words.textContent = answer.text;
    show("failed");
    for (const [name, fault] of Object.entries(answer.faults ?? {})) {
      const input = document.getElementById(name);
      if (!input) continue;
      input.setAttribute("aria-invalid", "true");
      let line = document.getElementById(name + "-error");
      if (!line) {
        line = document.createElement("p");
        line.className = "error";
        line.id = name + "-error";
        input.after(line);
        input.setAttribute("aria-describedby", line.id);
      }
      line.textContent = fault;
      input.focus();
    }
  }

  // The browser itself encodes the fields: EUC-KR for the PC window, UTF-8 for the mobile one.
  function submit(answer, win) {
    const out = document.createElement("form");
    out.id = out.name = "tranMgr";
    out.method = "post";
    out.action = answer.action;
    out.acceptCharset = answer.charset;
    out.hidden = true;
    if (win) out.target = "payWindow";
    for (const [name, value] of answer.fields) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = value;
      out.append(input);
    }
    document.body.append(out);
    out.submit();
    out.remove();
  }

  function watch(win) {
    popup = win;
    show("window");
    clearInterval(timer);
    timer = setInterval(() => {
      if (!popup?.closed) return;
      clearInterval(timer);
      popup = null;
      check().then(() => {
        if (!form()) return;
        lock(false);
        if (document.querySelector('[data-panel="window"]:not([hidden])')) show("closed");
      });
    }, 400);
  }

  // check asks how the order stands and draws the page anew if that differs from what is shown.
  let checking = null;
  function check() {
    checking ??= ask().finally(() => (checking = null));
    return checking;
  }

  async function ask() {
    let now;
    try {
      const response = await fetch(paths.status, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!response.ok) return;
      now = await response.json();
    } catch {
      return; // offline: asked again soon
    }
    await follow(now);
  }

  async function follow(now) {
    if (!now.version || now.version === main().dataset.version) return;
    // Our own window being opened is no news to this page, and must not wipe what stands here.
    const told = document.querySelector('[data-panel="closed"]:not([hidden])');
    if (now.status === "opened" && (popup || told || form()?.classList.contains("locked"))) return;
    await redraw();
  }

  async function redraw() {
    let page;
    try {
      const url = new URL(location.href);
      for (const key of ["again", "method", "already"]) url.searchParams.delete(key);
      const response = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!response.ok) return;
      page = new DOMParser().parseFromString(await response.text(), "text/html");
      history.replaceState(null, "", url);
    } catch {
      return;
    }
    const fresh = page.getElementById("main");
    if (!fresh) return;
    const typed = new Map([...(form()?.querySelectorAll(".input") ?? [])].map((input) => [input.id, input.value]));
    main().replaceWith(fresh);
    document.title = page.title;
    for (const [id, value] of typed) if (document.getElementById(id)) document.getElementById(id).value = value;
    remember();
    fresh.querySelector("[data-announce]")?.focus({ preventScroll: true });
    if (fresh.dataset.status !== "open") window.scrollTo({ top: 0 });
    if (!["open", "opened"].includes(fresh.dataset.status)) {
      popup?.close();
      popup = null;
      clearInterval(timer);
    }
  }

  // Told by the server as it happens; asked for where streams don't get through.
  let stream = null;
  let poll = 0;
  let wait = 3000;
  function listen() {
    if (!("EventSource" in window)) return pollSoon();
    stream?.close();
    stream = new EventSource(paths.events);
    stream.onmessage = (event) => {
      clearTimeout(poll);
      poll = 0;
      wait = 3000;
      follow(JSON.parse(event.data));
    };
    stream.onerror = pollSoon;
  }

  function pollSoon() {
    if (poll) return;
    poll = setTimeout(async () => {
      poll = 0;
      if (document.visibilityState === "visible") await check();
      wait = Math.min(wait * 1.3, 15000);
      if (stream?.readyState !== EventSource.OPEN) pollSoon();
    }, wait);
  }

  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    pay({ use: event.submitter?.name === "use" ? event.submitter.value : "" });
  });

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-open-window]")) pay({ use: at("[data-open-window]").dataset.use });
    if (at("[data-open-here]")) pay({ use: at("[data-open-here]").dataset.use, here: true });
    if (at("[data-show-window]")) popup?.focus();
    if (at("[data-device]")) {
      device = at("[data-device]").dataset.device;
      document.querySelector("[data-ipad]").hidden = true;
    }
  });

  window.addEventListener("message", (event) => {
    if (event.origin === location.origin && event.data?.pay === paths.self) check();
  });
  if ("BroadcastChannel" in window) new BroadcastChannel("pay:" + paths.self).onmessage = () => check();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && check());
  window.addEventListener("online", () => check());
  window.addEventListener("pagehide", () => stream?.close());

  // Back from the gateway in the same tab: the browser may show this page as it was left, locked.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    lock(false);
    show("");
    check();
    listen();
  });

  remember();
  listen();
}
