// What days going by bring: an account's due date, and the money that comes after it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startMovable } from "../lib/demo.mjs";
import { askAccount, latest, pay, signIn, until } from "../lib/walk.mjs";

let demo, browser, buyer, staff;

before(async () => {
  [demo, browser] = await Promise.all([startMovable(), launch()]);
  buyer = await (await look(browser)).newPage();
  staff = await (await look(browser)).newPage();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const main = (page = staff) => page.locator("main").innerText();

test("a deposit after the account's due date is a task, and goes back to the buyer", async () => {
  const checkout = await pay(buyer, demo, "VBANK");
  const { moid, tid } = await latest(demo);
  await demo.ahead(24 * 5);
  await signIn(staff, demo);
  await until(staff, demo.shop + "/admin/accounts?show=expired", moid);
  await buyer.goto(checkout);
  assert.match(await main(buyer), /가상계좌는 기한이 지나 닫혔어요/);

  await demo.deposit(tid);
  await until(staff, demo.shop + "/admin/work", "기한이 지난 뒤 33,000원이 들어왔어요");
  await until(staff, demo.shop + "/admin/accounts?show=odd", moid);
  await buyer.goto(checkout);
  assert.match(await main(buyer), /상점이 확인하고 있어요[^]*다시 결제하지 마세요/);
  await staff.goto(demo.shop + "/admin/mismatches");
  assert.match(await main(), /늦게 온 입금/);
  await staff.goto(`${demo.shop}/admin/payments/${moid}`);
  assert.doesNotMatch(await main(), /결제되었습니다|결제됐어요/);

  await askAccount(staff, buyer, demo, moid);
  await staff.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  await staff.locator('input[name="reason"]').fill("기한이 지난 입금");
  await staff.locator("#cancel-go").click();
  await staff.locator("#cancel-confirm").click();
  await staff.waitForURL((url) => url.pathname === `/admin/payments/${moid}`);
  await until(staff, demo.shop + `/admin/payments/${moid}`, "모두 취소되었습니다");
  assert.equal((await demo.state()).payments.find((p) => p.tid === tid).state, "cancelled");
  await staff.goto(demo.shop + "/admin/work");
  assert.ok(!(await main()).includes(moid));
  await buyer.goto(checkout);
  assert.match(await main(buyer), /33,000원은 이 주문의 결제로 치지 않고 돌려드렸어요/);
});
