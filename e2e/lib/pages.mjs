// Every page that a person can reach, by name: what the look tests and the screenshots walk through.
import { cancelPart, fill, latest, openPopup, order, pay, press, registerCard, signIn, status, subscribe } from "./walk.mjs";

// publicPages makes the buyer's pages and returns the URLs of all that need no sign-in.
export async function publicPages(page, demo) {
  const open = await order(page, demo);
  const paid = await pay(page, demo);
  const waiting = await pay(page, demo, "VBANK");
  const declined = await order(page, demo);
  await fill(page);
  await press(await openPopup(page), "decline");
  await status(page, "declined");
  return {
    home: demo.shop + "/",
    "pay-open": open,
    "pay-paid": paid,
    "pay-waiting": waiting,
    "pay-declined": declined,
    received: demo.shop + "/pay/received",
    "not-found": demo.shop + "/nothing-here",
    "sign-in": demo.shop + "/admin/sign-in",
    "invite-dead": demo.shop + "/invite/nothing",
  };
}

// staffPages signs in and returns the back office's URLs; invite is one for somebody who has no account yet.
export async function staffPages(page, demo) {
  await signIn(page, demo);
  const first = async (name, value) => {
    await page.goto(`${demo.shop}/admin?${name}=${encodeURIComponent(value)}`);
    return demo.shop + (await page.locator('a[href^="/admin/payments/"]').first().getAttribute("href")).split("?")[0];
  };
  const declined = await first("state", "unpaid");
  const card = await first("q", "김서연");

  const part = await paidPayment(page, demo);
  await cancelPart(page, demo, part, 1000);
  await page.locator('a[href^="/admin/messages/"]').first().waitFor();
  const message = await page.locator('a[href^="/admin/messages/"]').first().getAttribute("href");
  const unknown = await unknownCancel(page, demo);

  await page.goto(demo.shop + "/admin/receipts?show=issued&source=call");
  const receipt = await page.locator("td.c-goods a").first().getAttribute("href");

  await page.goto(demo.shop + "/admin/requests/new");
  await page.locator('input[name="goods"]').fill("맞춤 케이크");
  await page.locator('input[name="amount"]').fill("45000");
  await page.locator('main form button[type="submit"]').click();
  await page.waitForURL(/\/admin\/requests\/[A-Z0-9]{8}/);
  const request = page.url();

  const waiting = await subscribe(page, demo);
  const charged = await subscribe(page, demo);
  await registerCard(page, charged.link);
  await demo.fault("charge_refused");
  await charge(page, charged.at);
  const lost = await subscribe(page, demo);
  await registerCard(page, lost.link);
  await demo.fault("charge_garbage");
  await demo.fault("notify_lost");
  await charge(page, lost.at);
  await page.goto(demo.shop + "/admin/imports");
  const transactions = await fetch(demo.gateway + "/merchant/list");
  await page.locator('input[name="file"]').setInputFiles({ name: "거래내역.csv", mimeType: "text/csv", buffer: Buffer.from(await transactions.arrayBuffer()) });
  await page.locator('form[action="/admin/imports"] button').click();
  await page.waitForURL(/\/admin\/imports\/[A-Z0-9]+/);
  const brought = page.url();

  const approval = await waitingApproval(page, demo, `${demo.shop}/admin/payments/${await paidPayment(page, demo)}`);
  const deposited = await refundAsked(page, demo);

  await page.goto(demo.shop + "/admin/settings/staff");
  await page.locator('form[action="/admin/settings/staff"] input[name="email"]').fill("new@example.com");
  await page.locator('form[action="/admin/settings/staff"] button').click();
  const invite = /http[^<"\s]+\/invite\/[^<"\s]+/.exec(await page.content())[0];
  return {
    invite,
    pages: {
      "staff-payments": demo.shop + "/admin",
      "staff-search": demo.shop + "/admin?q=" + encodeURIComponent("김서"),
      "staff-nothing": demo.shop + "/admin?q=" + encodeURIComponent("없는사람"),
      "staff-payment": card,
      "staff-payment-declined": declined,
      "staff-payment-part": `${demo.shop}/admin/payments/${part}`,
      "staff-payment-unknown": `${demo.shop}/admin/payments/${unknown}`,
      "staff-message": demo.shop + message,
      "staff-cancel": card + "/cancel",
      "staff-cancel-refund": deposited.cancel,
      "refund-open": deposited.link,
      "staff-approval": approval,
      "staff-audit": demo.shop + "/admin/audit",
      "staff-audit-review": demo.shop + `/admin/audit/review?month=${new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 7)}`,
      "staff-cancel-busy": `${demo.shop}/admin/payments/${unknown}/cancel`,
      "staff-requests": demo.shop + "/admin/requests",
      "staff-new-request": demo.shop + "/admin/requests/new",
      "staff-request": request,
      "staff-subscriptions": demo.shop + "/admin/subscriptions",
      "staff-new-subscription": demo.shop + "/admin/subscriptions/new",
      "staff-subscription": waiting.at,
      "staff-subscription-refused": charged.at,
      "staff-subscription-unknown": lost.at,
      "customer-open": waiting.link,
      "customer-refused": charged.link,
      "customer-unknown": lost.link,
      "staff-export": demo.shop + "/admin/export",
      "staff-imports": demo.shop + "/admin/imports",
      "staff-import": brought,
      "staff-report": demo.shop + "/admin/reports",
      "staff-receipts": demo.shop + "/admin/receipts",
      "staff-receipts-all": demo.shop + "/admin/receipts?show=all",
      "staff-receipt": demo.shop + receipt,
      "staff-new-receipt": demo.shop + "/admin/receipts/new",
      "staff-record-receipt": demo.shop + "/admin/receipts/new?hand=yes",
      "staff-work": demo.shop + "/admin/work",
      "staff-settings": demo.shop + "/admin/settings",
      "staff-sales": demo.shop + "/admin/sales",
      "staff-mismatches": demo.shop + "/admin/mismatches",
      "staff-accounts": demo.shop + "/admin/accounts",
      "staff-inbox": demo.shop + "/admin/messages",
      "staff-hook": demo.shop + "/admin/settings/hook",
      "staff-rules": demo.shop + "/admin/settings/rules",
      "staff-password": demo.shop + "/admin/account/password",
      "staff-people": demo.shop + "/admin/settings/staff",
      "staff-account": demo.shop + "/admin/account",
      "staff-second": demo.shop + "/admin/account/second",
    },
  };
}

// unknownCancel pays and cancels a part of it, and nobody knows how that went. It returns the payment's Moid.
export async function unknownCancel(page, demo) {
  const moid = await paidPayment(page, demo);
  await demo.fault("cancel_garbage");
  await demo.fault("notify_lost");
  await cancelPart(page, demo, moid, 1000);
  return moid;
}

// waitingApproval asks for a cancel above the limit of whoever is signed in, and takes the limit away again. It returns the
// request's URL.
async function waitingApproval(page, demo, payment) {
  const limit = async (won) => {
    await page.goto(demo.shop + "/admin/settings/staff");
    await page.locator('input[name="limit_owner"]').fill(won);
    await page.locator('form[action$="/limits"] button').click();
  };
  await limit("100");
  await page.goto(payment + "/cancel");
  await page.locator('input[name="reason"]').fill("단순 변심");
  await page.locator("#cancel-go").click();
  await page.locator("#cancel-confirm").click();
  await page.waitForURL((url) => !url.pathname.endsWith("/cancel"));
  await limit("");
  await page.goto(demo.shop + "/admin/work");
  return demo.shop + (await page.locator('a[href^="/admin/approvals/"]').first().getAttribute("href"));
}

// refundAsked has a deposit and asks its buyer where it goes back to.
async function refundAsked(page, demo) {
  await pay(page, demo, "VBANK");
  const { moid, tid } = await latest(demo);
  await demo.deposit(tid);
  const cancel = `${demo.shop}/admin/payments/${moid}/cancel`;
  const ask = page.locator('button[form="refund-ask"]');
  for (let tries = 0; tries < 50 && !(await ask.count()); tries++) {
    await page.waitForTimeout(200);
    await page.goto(cancel);
  }
  await ask.click();
  await page.locator("#refund-account [data-copy]").waitFor();
  return { cancel, link: demo.shop + /\/refund\/[A-Z0-9]{26}/.exec(await page.content())[0] };
}

async function paidPayment(page, demo) {
  await pay(page, demo);
  return (await latest(demo)).moid;
}

// charge presses "charge now" on a subscription's page.
async function charge(page, at) {
  await page.goto(at);
  await page.locator('form[action$="/charge"] button').click();
  await page.waitForURL((url) => url.pathname.startsWith("/admin/subscriptions/"));
}
