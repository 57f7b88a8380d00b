// The buyer's way, in a real browser, with everything that goes wrong on it.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { fill, latest, openPopup, order, pay, press, signIn, status } from "../lib/walk.mjs";

let demo, browser, context, page;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

beforeEach(async () => {
  await context?.close();
  context = await look(browser);
  page = await context.newPage();
});

async function phone() {
  await context.close();
  context = await look(browser, "phone");
  page = await context.newPage();
}

for (const method of ["CARD", "BANK", "CELLPHONE", "CLGIFT", "KAKAO", "TOSS"]) {
  test(`PC: ${method} in the popup`, async () => {
    await pay(page, demo, method);
    assert.equal(context.pages().length, 1, "the popup is closed");
  });

  test(`phone: ${method} in the same tab`, async () => {
    await phone();
    const url = await order(page, demo);
    await fill(page, method);
    await page.locator("#pay-button").click();
    await press(page, "approve");
    await status(page, "paid");
    assert.ok(page.url().startsWith(url), "back on the order's own page");
    assert.equal(context.pages().length, 1, "no second tab");
  });
}

test("a blocked popup says so, and a click opens it", async () => {
  await order(page, demo);
  await fill(page);
  await page.evaluate(() => {
    const real = window.open.bind(window);
    let blocked = false;
    window.open = (...args) => (blocked ? real(...args) : ((blocked = true), null));
  });
  await page.locator("#pay-button").click();
  await page.locator('[data-panel="blocked"]').waitFor();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator("[data-open-window]").click()]);
  await press(popup, "approve");
  await status(page, "paid");
});

test("a popup that stays blocked leaves the way in this tab", async () => {
  await order(page, demo);
  await fill(page);
  await page.evaluate(() => (window.open = () => null));
  await page.locator("#pay-button").click();
  await page.locator("[data-open-window]").click();
  await page.locator("[data-open-here]").click();
  await press(page, "approve");
  await status(page, "paid");
});

test("PC: the buyer closes the window and may try again", async () => {
  await order(page, demo);
  await fill(page);
  await press(await openPopup(page), "close");
  await page.locator('#pay-button:not([disabled])').waitFor();
  const popup = await openPopup(page);
  await press(popup, "approve");
  await status(page, "paid");
});

test("phone: the buyer stops, no money moved, and may try again", async () => {
  await phone();
  await order(page, demo);
  await fill(page);
  await page.locator("#pay-button").click();
  await press(page, "close");
  await status(page, "stopped");
  await page.locator("#pay-button").click();
  await press(page, "approve");
  await status(page, "paid");
});

test("a declined payment may be tried again", async () => {
  await order(page, demo);
  await fill(page);
  await press(await openPopup(page), "decline");
  await status(page, "declined");
  await press(await openPopup(page), "approve");
  await status(page, "paid");
});

test("a virtual account is issued, and the deposit makes it paid", async () => {
  await pay(page, demo, "VBANK");
  const { tid } = await latest(demo);
  await demo.deposit(tid);
  await status(page, "paid");
});

// proves R5
test("a lost return: the notification alone makes it paid, and the page tells so by itself", async () => {
  await order(page, demo);
  await fill(page);
  await demo.fault("return_lost");
  await press(await openPopup(page), "approve");
  await status(page, "paid");
});

test("a lost notification: confirming at first, paid when the gateway was asked", async () => {
  await order(page, demo);
  await fill(page);
  await demo.fault("notify_lost");
  await press(await openPopup(page), "approve");
  await status(page, "confirming");
  await status(page, "paid", 90_000);
});

// proves I4
test("a forged amount is not believed", async () => {
  await order(page, demo);
  await fill(page);
  await demo.fault("forged_amount");
  await demo.fault("notify_lost");
  await press(await openPopup(page), "approve");
  await page.locator('#pay, main[data-status]').first().waitFor();
  assert.notEqual(await page.locator("main").getAttribute("data-status"), "paid");
});

// proves R11
test("two tabs pay one order: one is the payment, the other is held", async () => {
  const url = await order(page, demo);
  await fill(page);
  const first = await openPopup(page);
  const other = await (await look(browser, "phone")).newPage();
  await other.goto(url);
  await fill(other, "BANK");
  await other.locator("#pay-button").click();
  await other.locator('button[name="action"]').first().waitFor();
  await press(first, "approve");
  await status(page, "paid");
  await press(other, "approve");
  await status(other, "paid");
  await other.context().close();
  const moid = (await latest(demo)).moid.slice(0, 8);
  const staff = await context.newPage();
  await signIn(staff, demo);
  await staff.goto(`${demo.shop}/admin?q=${moid}`);
  const rows = staff.locator("[data-rows] tbody tr");
  assert.equal(await rows.filter({ hasText: "결제됨" }).count(), 1, "one is the payment");
  assert.equal(await rows.filter({ hasText: "확인 필요" }).count(), 1, "the other is held");
});

// proves R6
test("reload, Back and another browser show the same truth, and pay nothing twice", async () => {
  const url = await pay(page, demo);
  const { tid } = await latest(demo);
  await page.reload();
  await status(page, "paid");
  await page.goto(demo.shop + "/");
  await page.goBack();
  await status(page, "paid");
  const other = await (await look(browser)).newPage();
  await other.goto(url);
  await status(other, "paid");
  assert.equal(await other.locator("#pay-button").count(), 0, "no way to pay again");
  await other.context().close();
  assert.equal((await latest(demo)).tid, tid, "no second payment was opened");
});

for (const view of ["desktop", "phone"]) {
  test(`without scripts on a ${view}`, async () => {
    await context.close();
    context = await look(browser, view, { javaScriptEnabled: false });
    page = await context.newPage();
    const url = await order(page, demo);
    await fill(page);
    await page.locator("#pay-button").click();
    await page.locator("#tranMgr button").click();
    await press(page, "approve");
    await page.locator("#tranMgr button, #tranMgr input[type=submit]").first().click();
    await page.waitForURL(url);
    await status(page, "paid");
  });
}
