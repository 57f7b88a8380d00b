// The staff's way: find by anything, cancel a part, live with an answer that never comes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { cancelPart, fill, latest, openPopup, order, pay, press, reviewCancel, signIn, status } from "../lib/walk.mjs";

let demo, browser, buyer, staff, payment, link;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  buyer = await (await look(browser)).newPage();
  staff = await (await look(browser)).newPage();
  await signIn(staff, demo);
  link = await pay(buyer, demo, "CARD");
  payment = await latest(demo);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function find(q) {
  await staff.goto(demo.shop + "/admin");
  const box = staff.locator('input[name="q"]');
  await box.fill(String(q));
  await box.press("Enter");
  await staff.waitForURL((url) => url.searchParams.get("q") === String(q));
  return staff.locator(`a[href^="/admin/payments/${payment.moid}"]`).first();
}

const keys = {
  "two syllables of the name": () => "홍길",
  "four digits of the phone number": () => "9999",
  "the TID": () => payment.tid,
  "the order number": () => payment.moid.slice(0, 8),
  "the amount": () => payment.amt,
};
for (const [what, key] of Object.entries(keys)) {
  test(`search by ${what}`, async () => {
    await (await find(key())).waitFor();
  });
}

test("search for what is not there says so", async () => {
  await staff.goto(demo.shop + "/admin?q=" + encodeURIComponent("없는사람"));
  assert.equal(await staff.locator('a[href^="/admin/payments/"]').count(), 0);
});

test("a part is cancelled: staff and buyer see what is left", async () => {
  await (await find("9999")).click();
  await staff.waitForURL(/\/admin\/payments\//);
  await cancelPart(staff, demo, payment.moid, 1000);
  const left = (payment.amt - 1000).toLocaleString("ko-KR");
  await staff.goto(`${demo.shop}/admin/payments/${payment.moid}`);
  await staff.getByText(left).first().waitFor();
  await buyer.goto(link);
  await status(buyer, "partly_cancelled");
});

test("the last question keeps the keyboard, and Escape leads back to what was typed", async () => {
  await reviewCancel(staff, demo, payment.moid, 2000);
  assert.equal(await staff.locator('dialog[open] button[type="submit"]').count(), 1);
  assert.ok(await staff.evaluate(() => document.querySelector("dialog[open]").contains(document.activeElement)), "focus");
  await staff.keyboard.press("Escape");
  const amount = staff.locator('input[name="amount"]');
  await amount.waitFor();
  assert.equal(await amount.inputValue(), "2000");
  assert.ok(await staff.locator('input[name="how"][value="part"]').isChecked());
});

test("the amount is asked for only where a part goes back, and what stays is computed", async () => {
  await staff.goto(`${demo.shop}/admin/payments/${payment.moid}/cancel`);
  const amount = staff.locator('input[name="amount"]');
  assert.equal(await amount.isVisible(), false, "the whole is cancelled");
  await staff.locator('input[name="how"][value="part"]').check();
  await amount.fill("3000");
  await staff.getByText((payment.amt - 1000 - 3000).toLocaleString("ko-KR")).waitFor();
});

test("a cancel without an answer is unknown, and no second one can be sent", async () => {
  await order(buyer, demo);
  await fill(buyer, "CARD");
  await press(await openPopup(buyer), "approve");
  await status(buyer, "paid");
  const { moid, tid } = await latest(demo);
  await demo.fault("cancel_never");
  await demo.fault("notify_lost");
  await cancelPart(staff, demo, moid, 1000);
  await staff.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  assert.equal(await staff.locator('input[name="amount"]').count(), 0, "no second cancel while one is open");
  const there = (await demo.state()).payments.find((p) => p.tid === tid);
  assert.equal(there.balance, there.amt - 1000, "it happened once");
});

test("staff make a payment request and its link can be paid", async () => {
  await staff.goto(demo.shop + "/admin/requests/new");
  await staff.locator('input[name="goods"]').fill("맞춤 케이크");
  await staff.locator('input[name="amount"]').fill("45000");
  await staff.locator('main form button[type="submit"], main form button:not([type])').last().click();
  await staff.waitForURL(/\/admin\/requests\/[A-Z0-9]{8}/);
  const token = /\/pay\/[A-Z0-9]{26}/.exec(await staff.content())[0];
  await buyer.goto(demo.shop + token);
  await fill(buyer, "CARD");
  await press(await openPopup(buyer), "approve");
  await status(buyer, "paid");
});

test("a stranger is not let in", async () => {
  const stranger = await (await look(browser)).newPage();
  await stranger.goto(demo.shop + "/admin");
  await stranger.waitForURL(/sign-in/);
  await stranger.context().close();
});
