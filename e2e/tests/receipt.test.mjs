// A cash receipt's life: issued for a payment, shown to its buyer, following its payment, and left unknown by a lost answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { cancelPart, pay, signIn } from "../lib/walk.mjs";

let demo, browser, buyer, staff, link, moid;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  buyer = await (await look(browser)).newPage();
  staff = await (await look(browser)).newPage();
  await signIn(staff, demo);
  link = await pay(buyer, demo, "BANK");
  const { payments } = await demo.state();
  moid = payments.filter((p) => p.method === "BANK").reduce((a, b) => (a.opened_at > b.opened_at ? a : b)).moid;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const receipts = async () => (await demo.state()).cash_receipts;

async function state(page, word) {
  await page.locator("h1 .badge", { hasText: word }).waitFor();
}

test("a wrong number is refused beside its field, and what was typed stays", async () => {
  await staff.goto(`${demo.shop}/admin/payments/${moid}`);
  await staff.getByRole("link", { name: "발급하기" }).click();
  await staff.waitForURL(/\/admin\/receipts\/new/);
  await staff.locator('input[name="identity"]').fill("900101-1234567");
  await staff.locator('main form button[type="submit"]').click();
  await staff.locator("#identity-error").getByText("주민등록번호").waitFor();
  assert.equal(await staff.locator('input[name="identity"]').inputValue(), "900101-1234567");
  assert.ok(!staff.url().includes("900101"), "a number in an address");
});

test("it is issued once, masked, and its buyer sees it", async () => {
  const before = (await receipts()).length;
  await staff.locator('input[name="identity"]').fill("010-9999-1111");
  await staff.locator('main form button[type="submit"]').dblclick();
  await staff.waitForURL(/\/admin\/receipts\/(?!new)/);
  await state(staff, "발급됨");
  const now = await receipts();
  assert.equal(now.length, before + 1);
  const text = await staff.locator("main").innerText();
  assert.ok(text.includes("*******1111") && !text.includes("99991111") && text.includes(now[0].number));
  const [slip] = await Promise.all([staff.waitForEvent("popup"), staff.getByRole("button", { name: "전표 보기" }).click()]);
  await slip.getByText(now[0].number).first().waitFor();
  await slip.close();
  await buyer.goto(link);
  await buyer.getByText(now[0].number).waitFor();
  await buyer.getByRole("link", { name: "현금영수증 보기" }).waitFor();
});

test("a part of the payment is cancelled: the receipt stands over the rest", async () => {
  const [first] = await receipts();
  await cancelPart(staff, demo, moid, 1000);
  for (let i = 0; ; i++) {
    const [next, old] = await receipts();
    if (old?.tid === first.tid && old.cancelled && next.amt === first.amt - 1000) break;
    assert.ok(i < 150, "it was not issued again over what is left");
    await staff.waitForTimeout(200);
  }
  await staff.goto(`${demo.shop}/admin/payments/${moid}`);
  await staff.locator('section:has(h2:text("현금영수증")) .badge', { hasText: "발급됨" }).waitFor();
  await staff.locator('section:has(h2:text("현금영수증")) .badge', { hasText: "취소됨" }).waitFor();
});

test("an answer that is lost is settled by the notification, and nothing is sent again", async () => {
  const before = (await receipts()).length;
  await demo.fault("receipt_garbage");
  await demo.fault("notify_lost");
  await staff.goto(`${demo.shop}/admin/receipts/new`);
  await staff.locator('input[name="goods"]').fill("현금 판매");
  await staff.locator('input[name="amount"]').fill("55,000");
  await staff.locator('input[name="purpose"][value="3"]').check();
  await staff.locator('main form button[type="submit"]').click();
  await staff.waitForURL(/\/admin\/receipts\/(?!new)/);
  await state(staff, "결과 모름");
  const url = staff.url();
  await staff.goto(`${demo.shop}/admin/receipts?show=unknown`);
  await staff.locator("td.c-goods a", { hasText: "현금 판매" }).waitFor();
  const now = await receipts();
  assert.equal(now.length, before + 1);
  await fetch(`${demo.gateway}/control/api/notify`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ tid: now[0].tid }) });
  for (let i = 0; ; i++) {
    await staff.goto(url);
    if (await staff.locator("h1 .badge", { hasText: "발급됨" }).count()) break;
    assert.ok(i < 50, "the notification did not settle it");
    await staff.waitForTimeout(200);
  }
  await staff.locator('form[action$="/cancel"] input[name="reason"]').fill("잘못 발급");
  await staff.getByRole("button", { name: "현금영수증 취소하기" }).click();
  await state(staff, "취소됨");
});

test("a phone reaches the receipts behind the bar's last entry", async () => {
  const phone = await (await look(browser, "phone")).newPage();
  await signIn(phone, demo);
  await phone.goto(demo.shop + "/admin");
  await phone.locator(".more-links summary").click();
  await phone.locator(".more-links a", { hasText: "현금영수증" }).click();
  await phone.waitForURL(/\/admin\/receipts/);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});
