// What days going by bring: an account's due date, and the money that comes after it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startMovable } from "../lib/demo.mjs";
import { latest, pay, signIn } from "../lib/walk.mjs";

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

// until looks again until the page says so: what the gateway tells comes when it comes.
async function until(page, path, words) {
  for (let tries = 0; tries < 50; tries++) {
    await page.goto(demo.shop + path);
    if ((await main(page)).includes(words)) return;
    await page.waitForTimeout(200);
  }
  assert.fail(`${path} never says ${words}: ${await main(page)}`);
}

test("a deposit after the account's due date is a task, and goes back to the buyer", async () => {
  const checkout = await pay(buyer, demo, "VBANK");
  const { moid, tid } = await latest(demo);
  await demo.ahead(24 * 5);
  await signIn(staff, demo);
  await until(staff, "/admin/accounts?show=expired", moid);

  await demo.deposit(tid);
  await until(staff, "/admin/work", "기한이 지난 뒤 33,000원이 들어왔어요");
  await until(staff, "/admin/accounts?show=odd", moid);
  await buyer.goto(checkout);
  assert.match(await main(buyer), /상점이 확인하고 있어요[^]*다시 결제하지 마세요/);
  await staff.goto(demo.shop + "/admin/mismatches");
  assert.match(await main(), /늦게 온 입금/);
  await staff.goto(`${demo.shop}/admin/payments/${moid}`);
  const card = await main();
  assert.doesNotMatch(card, /결제되었습니다|결제됐어요/);

  await staff.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  await staff.getByRole("button", { name: "구매자에게 계좌 물어보기" }).click();
  await staff.getByText("구매자에게 이 글을 보내세요").waitFor();
  await buyer.goto(demo.shop + /\/refund\/[A-Z0-9]{26}/.exec(await main())[0]);
  await buyer.getByLabel("은행").selectOption("088");
  await buyer.getByLabel("예금주").fill("한가람");
  await buyer.getByLabel("계좌번호").fill("110-123-456789");
  await buyer.getByRole("button", { name: "이 계좌로 받기" }).click();
  await buyer.getByText("계좌를 받았어요").waitFor();
  await staff.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  await staff.locator('input[name="reason"]').fill("기한이 지난 입금");
  await staff.locator("#cancel-go").click();
  await staff.locator("#cancel-confirm").click();
  await staff.waitForURL((url) => url.pathname === `/admin/payments/${moid}`);
  await until(staff, `/admin/payments/${moid}`, "모두 취소되었습니다");
  assert.equal((await demo.state()).payments.find((p) => p.tid === tid).state, "cancelled");
  await staff.goto(demo.shop + "/admin/work");
  assert.ok(!(await main()).includes(moid));
});
