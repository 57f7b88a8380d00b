// Recurring payments: a card is registered on a phone, charged, refused, tried again, and ended by the customer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { press, registerCard, signIn, subscribe } from "../lib/walk.mjs";

let demo, browser, staff, phone, at, link;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  staff = await (await look(browser)).newPage();
  phone = await (await look(browser, "phone")).newPage();
  await signIn(staff, demo);
  ({ at, link } = await subscribe(staff, demo));
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const charge = async () => {
  await staff.goto(at);
  await staff.locator('form[action$="/charge"] button').click();
  await staff.waitForURL((url) => url.pathname.startsWith("/admin/subscriptions/"));
};

test("the card is refused, then registered, and no money moves", async () => {
  await phone.goto(link);
  await phone.locator('form[action$="/card"] button').click();
  await press(phone, "decline");
  await phone.waitForURL(/\/subscription\//);
  await phone.locator('main[data-state="no_card"] .note').waitFor();
  await registerCard(phone, link);
  assert.match(await phone.locator("dl.facts").innerText(), /9\d{5}\*{6}\d{4}/);
  assert.equal((await demo.state()).payments[0].balance, 0);
});

test("the first charge is a payment like any other", async () => {
  await charge();
  await staff.locator('a[href^="/admin/payments/"]').first().click();
  await staff.waitForURL(/\/admin\/payments\//);
  await staff.getByText("44,000").first().waitFor();
});

test("a refused charge waits for a person, and goes through the next time", async () => {
  await demo.fault("charge_refused");
  await charge();
  await staff.locator('form[action$="/away"] button').click();
  await charge();
  const paid = (await demo.state()).payments.filter((p) => p.amt === 44000 && p.state === "paid");
  assert.equal(paid.length, 2);
});

test("a charge without an answer is never asked for twice", async () => {
  await demo.fault("charge_500");
  await demo.fault("notify_lost");
  await charge();
  await staff.locator('form[action$="/settle"]').waitFor({ state: "attached" });
  assert.equal(await staff.locator('form[action$="/charge"]').count(), 0);
  const taken = (await demo.state()).payments.filter((p) => p.amt === 44000 && p.state === "paid");
  assert.equal(taken.length, 3);
  await staff.locator("details.settle summary").first().click();
  await staff.locator('input[name="tid"]').fill("nonsense");
  await staff.locator('input[name="reason"]').first().fill("목록에서 봄");
  await staff.locator('button[name="happened"][value="yes"]').click();
  await staff.locator("#tid-error").waitFor();
  await staff.locator('input[name="tid"]').fill(taken[0].tid);
  await staff.locator('button[name="happened"][value="yes"]').click();
  await staff.waitForURL((url) => url.href.startsWith(at));
  await staff.locator('form[action$="/charge"]').waitFor();
});

test("the customer ends it", async () => {
  await phone.goto(link);
  await phone.locator("details summary").click();
  await phone.locator('form[action$="/stop"] button').click();
  await phone.locator('main[data-state="stopped"]').waitFor();
  assert.equal(await phone.locator('form[action$="/card"]').count(), 0);
});
