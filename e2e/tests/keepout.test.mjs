// Who must be kept out, tried from a browser: text that wants to run, other sites, a second press, somebody else's return.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { payloads } from "../lib/payloads.mjs";
import { cancelPart, fill, latest, openPopup, order, pay, press, reviewCancel, signIn, status } from "../lib/walk.mjs";

let demo, browser, buyer, staff;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  buyer = await (await look(browser)).newPage();
  staff = await (await look(browser)).newPage();
  await signIn(staff, demo);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

// foreign is what no page of ours has: whatever of a text became part of the page itself.
function foreign() {
  const faults = [];
  for (const e of document.querySelectorAll("*")) {
    const name = e.localName;
    if (["xss", "iframe", "object", "embed", "base", "video", "math", "animate"].includes(name)) faults.push(`<${name}>`);
    if (name === "script" && !(e.src || e.type === "application/json")) faults.push("<script> with text");
    if (name === "style") faults.push("<style>");
    for (const a of e.attributes) {
      if (a.name.startsWith("on")) faults.push(`${name} ${a.name}`);
      if (["href", "src", "action", "formaction"].includes(a.name) && /^\s*javascript:/i.test(a.value)) faults.push(`${name} ${a.name}=${a.value}`);
      if (["src", "href"].includes(a.name) && ["script", "link", "img"].includes(name) && !a.value.startsWith("/") && !a.value.startsWith("data:image/")) {
        faults.push(`${name} ${a.name}=${a.value}`);
      }
    }
  }
  return faults;
}

// What is typed, and what a stranger lets the gateway's door take down, on every page that may show it.
// proves S9
test("nothing that somebody typed runs or becomes part of a page", async () => {
  const ran = [];
  for (const page of [buyer, staff]) {
    await page.context().exposeBinding("gageRan", ({ page: p }) => ran.push(p.url()));
    page.on("dialog", (d) => (ran.push("a dialog: " + d.message()), d.dismiss()));
  }
  const faults = [];
  let looked = 0;
  const see = async (page, what, payload) => {
    looked++;
    for (const fault of await page.evaluate(foreign)) faults.push(`${what}: ${JSON.stringify(payload)}: ${fault}`);
  };
  const visit = async (page, path, payload) => {
    await page.goto(demo.shop + path);
    await see(page, path, payload);
  };
  const wanted = payloads(Number(process.env.GAGE_PAYLOADS ?? 12), Number(process.env.GAGE_SEED ?? 0));
  for (const x of wanted) {
    await staff.goto(demo.shop + "/admin/requests/new");
    const form = staff.locator("main form");
    await form.locator('input[name="goods"]').fill(x.slice(0, 80));
    await form.locator('input[name="amount"]').fill("1000");
    for (const field of ["buyer_name", "buyer_tel", "buyer_email"]) await form.locator(`input[name="${field}"]`).fill(x.slice(0, 30), { force: true });
    await Promise.all([staff.waitForNavigation(), form.evaluate((f) => f.submit())]);
    await see(staff, "a request with mistakes in it", x);
    const tel = staff.locator('input[name="buyer_tel"]');
    if (await tel.count()) {
      await tel.fill("010-0042-4821");
      await staff.locator('input[name="buyer_email"]').fill("");
      await Promise.all([staff.waitForNavigation(), form.evaluate((f) => f.submit())]);
    }
    await see(staff, "a request", x);
    const token = /\/pay\/[A-Z0-9]{26}/.exec(await staff.content())?.[0];
    const q = encodeURIComponent(x);
    if (token) {
      await visit(buyer, token, x);
      const moid = await open(token, x);
      const told = { PayMethod: "CARD", MID: "gagedemo1m", OID: moid, Amt: "1000", TID: "gagedemo1m01012006091200011234", ResultCode: "3011" };
      for (const field of ["ResultMsg", "GoodsName", "BuyerName", "fn_name", "AuthCode", "VbankName", "Extra"]) told[field] = x;
      await buyer.request.post(demo.shop + "/smartro/return", { form: told, headers: { "User-Agent": x.replace(/[^\x20-\x7e]/g, "?") } });
      await visit(buyer, token, x);
      await visit(staff, `/admin/payments/${moid}`, x);
      const message = await staff.locator('a[href^="/admin/messages/"]').first().getAttribute("href").catch(() => null);
      if (message) await visit(staff, message, x);
    }
    await visit(staff, "/admin?q=" + q, x);
    await visit(buyer, "/admin/sign-in?next=" + q, x);
    await visit(buyer, "/" + q, x);
  }
  await visit(staff, "/admin", "");
  await visit(staff, "/admin/requests", "");
  await visit(staff, "/admin/work", "");
  console.log(`reached: ${wanted.length} payloads`);
  console.log(`reached: ${looked} pages looked at for what was typed`);
  assert.deepEqual(ran, [], "scripts that ran");
  assert.deepEqual(faults, [], "what became part of a page");
});

// open makes an attempt to pay, as the checkout's script does, and returns its Moid.
async function open(token, name) {
  const answer = await buyer.request.post(demo.shop + token + "/open", {
    form: { method: "CARD", device: "pc", buyer_name: name.slice(0, 60), buyer_tel: "010-0042-4821", buyer_email: "a@example.com" },
    headers: { Accept: "application/json", Origin: demo.shop },
  });
  const { fields } = await answer.json();
  assert.ok(fields, `${JSON.stringify(name)}: ${answer.status()}, the buyer can't pay`);
  return fields.find(([n]) => n === "Moid")[1];
}

// proves R16
test("two presses on the deed, and the same form once more, are one cancel, with scripts and without", async () => {
  for (const scripts of [true, false]) {
    await pay(buyer, demo);
    const { moid, tid } = await latest(demo);
    const context = await look(browser, "desktop", { javaScriptEnabled: scripts, storageState: await staff.context().storageState() });
    const page = await context.newPage();
    await reviewCancel(page, demo, moid, 1000);
    const deed = page.locator("#cancel-confirm");
    const [action, form] = await deed.evaluate((b) => [b.form.action, Object.fromEntries(new FormData(b.form, b))]);
    await deed.dblclick({ noWaitAfter: true });
    await page.locator(".payment .headline-amount").waitFor(); // a wait for the address breaks off with the first press
    const again = await page.request.post(action, { form, headers: { Origin: demo.shop }, maxRedirects: 0 });
    assert.equal(again.status(), 303, `scripts ${scripts}: the same form once more`);
    const there = (await demo.state()).payments.find((p) => p.tid === tid);
    assert.equal(there.cancels.length, 1, `scripts ${scripts}: cancels at the gateway`);
    await context.close();
  }
});

// site serves one page that posts to the shop as soon as it is open, and frames it.
async function site(host, forms, framed) {
  const inputs = (fields) => Object.entries(fields).map(([n, v]) => `<input type="hidden" name="${n}" value="${v}">`).join("");
  const page =
    "<!doctype html><title>elsewhere</title>" +
    forms.map(([to, fields], i) => `<iframe name="f${i}"></iframe><form target="f${i}" method="post" action="${to}">${inputs(fields)}</form>`).join("") +
    `<iframe id="framed" src="${framed}"></iframe><script>for (const f of document.forms) f.submit()</script>`;
  const server = createServer((_, answer) => answer.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page));
  await new Promise((resolve) => server.listen(0, host, resolve));
  return { url: `http://${host}:${server.address().port}/`, close: () => (server.closeAllConnections(), server.close()) };
}

// localhost is another site than 127.0.0.1 and gets no cookie from the browser; another port of 127.0.0.1 gets it.
// proves S18, S9, S14
test("another site's page moves nothing with the browser of somebody signed in, and cannot frame us", async (t) => {
  await pay(buyer, demo);
  const { moid, tid } = await latest(demo);
  const cancel = { key: "f".repeat(32), how: "whole", amount: "", reason: "x", confirm: "yes" };
  const forms = [
    [`${demo.shop}/admin/payments/${moid}/cancel`, cancel],
    [`${demo.shop}/admin/requests/new`, { goods: "foreign goods", amount: "1000" }],
    [`${demo.shop}/admin/sign-out`, {}],
    [`${demo.shop}/admin/account/sessions`, {}],
  ];
  for (const host of ["127.0.0.1", "localhost"]) {
    const elsewhere = await site(host, forms, demo.shop + "/admin");
    t.after(elsewhere.close); // a server that is left open keeps a failed run from its end
    const page = await staff.context().newPage();
    const answers = Promise.all(forms.map(([url]) => page.waitForResponse((r) => r.request().method() === "POST" && r.url() === url)));
    await page.goto(elsewhere.url, { waitUntil: "networkidle" });
    for (const a of await answers) assert.equal(a.status(), 403, `${host}: ${a.url()}`);
    assert.equal(await page.frameLocator("#framed").locator('form[action^="/admin/"]').count(), 0, `${host}: our page stands in a frame`);
    await page.close();
  }
  const there = (await demo.state()).payments.find((p) => p.tid === tid);
  assert.equal(there.balance, there.amt, "nothing was cancelled");
  await staff.goto(demo.shop + "/admin/requests");
  assert.equal(new URL(staff.url()).pathname, "/admin/requests", "still signed in");
  assert.equal(await staff.getByText("foreign goods").count(), 0, "no request was made");
});

// proves S14
test("no script reads the session, and Back after signing out shows nothing of the shop", async () => {
  const page = await (await look(browser)).newPage();
  await signIn(page, demo);
  const kept = await page.context().cookies();
  const session = kept.filter((c) => c.httpOnly);
  assert.equal(session.length, 1, JSON.stringify(kept.map((c) => c.name)));
  assert.equal(session[0].sameSite, "Lax");
  assert.ok(!(await page.evaluate(() => document.cookie)).includes(session[0].name));
  await page.locator('form[action="/admin/sign-out"] button').first().click();
  await page.waitForURL(/sign-in/);
  await page.goBack();
  await page.waitForURL(/sign-in/);
  await page.context().addCookies(session); // the key that was, put back
  await page.goto(demo.shop + "/admin");
  await page.waitForURL(/sign-in/);
  await page.context().close();
});

// proves S7, R6
test("a return without the order's own token shows nothing of it, and one with it needs no cookie", async () => {
  const link = await pay(buyer, demo);
  const { tid, moid, amt } = await latest(demo);
  const stranger = await (await look(browser)).newPage();
  const send = async (fields, to = "/smartro/return") => {
    await stranger.setContent(
      `<form method="post" action="${demo.shop + to}">` + Object.entries(fields).map(([n, v]) => `<input name="${n}" value="${v}">`).join("") + "</form>",
    );
    await stranger.locator("form").evaluate((f) => f.submit());
    await stranger.waitForURL((url) => url.href.startsWith(demo.shop));
  };
  await send({ PayMethod: "CARD", MID: tid.slice(0, 10), OID: moid, TID: tid, Amt: amt, ResultCode: "3001", SignValue: "x" });
  assert.equal(new URL(stranger.url()).pathname, "/pay/received");
  const shown = await stranger.locator("main").innerText();
  for (const secret of [moid, tid, amt.toLocaleString("ko-KR"), "한가람", new URL(link).pathname]) assert.ok(!shown.includes(secret), secret);
  await stranger.context().close();

  await order(buyer, demo);
  await fill(buyer);
  await demo.fault("notify_lost"); // told first by it, the page would close the window before that has posted
  const [request] = await Promise.all([
    buyer.context().waitForEvent("request", { predicate: (r) => r.method() === "POST" && r.url().includes("/smartro/return"), timeout: 60_000 }),
    openPopup(buyer).then((popup) => press(popup, "approve")),
  ]);
  await status(buyer, "paid");
  const other = await (await look(browser)).newPage();
  for (let i = 0; i < 3; i++) {
    await other.setContent(`<form method="post" action="${request.url()}"></form>`);
    await other.locator("form").evaluate((f, body) => {
      for (const [n, v] of new URLSearchParams(body)) f.append(Object.assign(document.createElement("input"), { name: n, value: v }));
      f.submit();
    }, request.postData());
    await other.waitForURL(/\/pay\//);
    await status(other, "paid");
  }
  await other.context().close();
});

// proves R5
test("the buyer closes every tab while the gateway works: the notification alone makes it paid", async () => {
  const context = await look(browser);
  const page = await context.newPage();
  const link = await order(page, demo);
  await fill(page);
  await demo.fault("return_lost");
  const popup = await openPopup(page);
  await Promise.all([popup.waitForEvent("close").catch(() => {}), page.close(), press(popup, "approve").catch(() => {})]);
  await context.close();
  await buyer.goto(link);
  await status(buyer, "paid");
});

test("who was cancelled in part is told so by the page that is still open", async () => {
  await pay(buyer, demo);
  const { moid } = await latest(demo);
  await cancelPart(staff, demo, moid, 1000);
  await status(buyer, "partly_cancelled");
});
