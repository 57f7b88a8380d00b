// What staff do all day: find by whatever the caller says, answer, cancel, follow virtual accounts, look at what came.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import * as walk from "../lib/walk.mjs";

const who = { name: "탁소미", tel: "010-7310-9284", email: "somi.tak@example.org" };

let demo, browser, buyer, staff;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  buyer = await (await look(browser)).newPage();
  staff = await (await look(browser)).newPage();
  await walk.signIn(staff, demo);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

// paid lets the buyer pay a request of 32,000 won, and returns the payment as the gateway has it.
async function paid(method) {
  await staff.goto(demo.shop + "/admin/requests/new");
  await staff.locator('input[name="goods"]').fill("유자청 두 병");
  await staff.locator('input[name="amount"]').fill("32000");
  await staff.locator('main form button[type="submit"]').click();
  await staff.waitForURL(/\/admin\/requests\/[A-Z0-9]{8}/);
  await buyer.goto(/\/pay\/[A-Z0-9]{26}/.exec(await staff.content())[0].replace(/^/, demo.shop));
  await walk.fill(buyer, method, who);
  await walk.press(await walk.openPopup(buyer), "approve");
  await walk.status(buyer, method === "VBANK" ? "waiting" : "paid");
  return (await demo.state()).payments[0];
}

const main = () => staff.locator("main").innerText();

const until = (path, words) => walk.until(staff, demo.shop + path, words);

// cancelAll fills the form of a whole cancel and confirms it.
async function cancelAll(moid, refund) {
  await staff.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  await staff.locator('input[name="reason"]').fill("단순 변심");
  if (refund) {
    await staff.locator('select[name="refund_bank"]').selectOption("088");
    await staff.locator('input[name="refund_name"]').fill(who.name);
    await staff.locator('input[name="refund_acct"]').fill("110-123-456789");
  }
  await staff.locator("#cancel-go").click();
  await staff.locator("#cancel-confirm").click();
  await staff.waitForURL((url) => url.pathname === `/admin/payments/${moid}`);
}

test("a payment just made is found by each thing that a caller may say", async () => {
  const p = await paid("CARD");
  await until("/admin?q=" + p.moid, p.moid);
  await staff.goto(`${demo.shop}/admin/payments/${p.moid}`);
  const page = await main();
  const approval = /승인번호\s+(\d+)/.exec(page)[1];
  const card = /\*(\d{3,4})\s/.exec(page)[1];
  const won = 32000;
  const day = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Seoul" }).format(new Date());
  for (const q of [
    p.tid, p.tid.slice(12, 26), p.moid, p.moid.slice(0, 8), approval, who.name, "소미", "9284", "010-7310-9284", "7310 9284", "somi.tak",
    "소미 오늘", `소미 ${day}`, `소미 ${won.toLocaleString("en")}`, `소미 ${won}원`, `소미 ${won - 1}..${won + 1}`, `소미 카드:${card}`,
    "이름:소미", "전화:9284", "mail:somi.tak", `tid:${p.tid.slice(-6)}`, `승인:${approval}`,
  ]) {
    await staff.keyboard.press("Escape");
    await staff.locator("h1").first().click();
    await staff.keyboard.press("/");
    await staff.keyboard.press("ControlOrMeta+a");
    await staff.keyboard.type(q);
    await Promise.all([staff.waitForURL((url) => url.searchParams.get("q") === q), staff.keyboard.press("Enter")]);
    assert.ok((await main()).includes(p.moid), `${q} does not find ${p.moid}: ${await main()}`);
  }
  for (const q of ["소미 어제", `소미 ${won + 1}원`, "이름:9284", "전화:소미", `소미 ${won + 1}..`]) {
    await staff.goto(`${demo.shop}/admin?q=${encodeURIComponent(q)}`);
    assert.ok(!(await main()).includes(p.moid), `${q} finds ${p.moid}`);
  }
});

test("the caller is answered from the payment's page, before and after a cancel", async () => {
  const [p, other] = [await paid("CARD"), await paid("CARD")];
  await until(`/admin/payments/${p.moid}`, "네, 결제되었습니다.");
  assert.match(await main(), /취소된 적이 없습니다\./);
  assert.equal(await staff.locator(`.others a[href="/admin/payments/${other.moid}"]`).count(), 1);

  await staff.goto(`${demo.shop}/admin/payments/${p.moid}/cancel`);
  await staff.locator('input[name="how"][value="part"]').check();
  await staff.locator('input[name="amount"]').fill("1,000");
  await staff.locator('input[name="reason"]').fill("일부 반품");
  await staff.locator("#cancel-go").click();
  assert.match(await staff.locator("dialog").innerText(), /매입 전[\s\S]*부가세는 90원[\s\S]*1,000원을 취소했고/);
  await staff.locator("#cancel-confirm").click();
  await staff.waitForURL((url) => url.pathname === `/admin/payments/${p.moid}`);
  await until(`/admin/payments/${p.moid}`, "가운데 1,000원이 취소되어");

  await staff.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await staff.locator(".call [data-copy]").click();
  await staff.locator(".call [data-copy-word]", { hasText: "복사했어요" }).waitFor();
  const copied = await staff.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /네, 결제되었습니다\.\n[\s\S]*1,000원이 취소되었습니다\./);
});

test("a list is kept, and comes back as it was", async () => {
  await staff.goto(demo.shop + "/admin?method=CARD&state=paid");
  await staff.locator(".more-filters summary").click();
  await staff.locator("#view-name").fill("카드만");
  await staff.locator('form[action="/admin/views"] button').click();
  await staff.goto(demo.shop + "/admin");
  await staff.locator(".views a", { hasText: "카드만" }).click();
  await staff.waitForURL((url) => url.searchParams.get("method") === "CARD" && url.searchParams.get("state") === "paid");
  await staff.locator(".more-filters summary").click();
  await staff.locator('form[action="/admin/views/drop"] button').click();
  await staff.waitForURL((url) => url.pathname === "/admin");
  assert.equal(await staff.locator(".views").count(), 0);
});

test("a virtual account: waiting, deposited, refunded; another one withdrawn", async () => {
  const p = await paid("VBANK");
  await until("/admin/accounts", p.moid);
  await demo.deposit(p.tid);
  await until("/admin/accounts?show=deposited", p.moid);

  // The buyer says by a link of its own where the money goes; staff see it masked and send it there.
  const phone = await (await look(browser, "phone")).newPage();
  await walk.askAccount(staff, phone, demo, p.moid);
  await until("/admin/work", "구매자가 환불받을 계좌를 적었어요");
  await staff.locator(`a[href="/admin/payments/${p.moid}/cancel"]`).first().click();
  await staff.getByText("***6789").waitFor();
  await cancelAll(p.moid, false);
  await until(`/admin/payments/${p.moid}`, "모두 취소되었습니다");
  assert.equal((await demo.state()).payments.find((g) => g.tid === p.tid).state, "cancelled");
  await phone.reload();
  await phone.getByText("이 링크는 끝났어요").waitFor();

  const late = await paid("VBANK");
  await until("/admin/accounts", late.moid);
  await cancelAll(late.moid, false);
  await until(`/admin/payments/${late.moid}`, "입금 전에 취소되었습니다");
  await staff.goto(demo.shop + "/admin/accounts");
  assert.ok(!(await main()).includes(late.moid));

  // Another amount than was asked for is a task, and no payment.
  const odd = await paid("VBANK");
  await demo.deposit(odd.tid, 31_000);
  await until("/admin/work", "31,000원이 들어왔어요");
  await until("/admin/accounts?show=odd", odd.moid);
  await staff.goto(`${demo.shop}/admin/payments/${odd.moid}`);
  assert.doesNotMatch(await main(), /결제됐어요|결제 완료/);
});

test("a call: four digits, a part of the money, above the limit, approved on a phone", async () => {
  const p = await paid("CARD");
  await until("/admin?q=" + p.moid, p.moid);
  await staff.goto(demo.shop + "/admin/settings/staff");
  await staff.locator('input[name="limit_staff"]').fill("5,000");
  await staff.locator('form[action$="/limits"] button').click();
  await staff.locator('input[name="email"]:visible').fill("clerk@example.com");
  await staff.locator('form[action="/admin/settings/staff"] select').selectOption("staff");
  await staff.locator('form[action="/admin/settings/staff"] button').click();
  const invite = /\/invite\/[\w-]+/.exec(await staff.content())[0];
  const clerk = await (await look(browser)).newPage();
  await clerk.goto(demo.shop + invite);
  await clerk.getByLabel("이름").fill("나직원");
  await clerk.getByLabel("비밀번호").fill("유자청은 겨울에 담근다");
  await clerk.locator('main button[type="submit"]').click();
  await clerk.waitForURL((url) => url.pathname === "/admin");

  await clerk.keyboard.press("/");
  await clerk.keyboard.type("9284");
  await clerk.keyboard.press("Enter");
  await clerk.waitForURL((url) => url.searchParams.get("q") === "9284");
  await clerk.locator("tr", { hasText: p.moid }).locator("a").first().click();
  await clerk.waitForURL(/\/admin\/payments\//);
  await clerk.locator(`a[href="/admin/payments/${p.moid}/cancel"]`).first().click();
  await clerk.locator('input[name="how"][value="part"]').check();
  await clerk.locator('input[name="amount"]').fill("11,000");
  await clerk.locator('input[name="reason"]').fill("단순 변심");
  await clerk.locator("#cancel-go").click();
  await clerk.locator("#cancel-confirm").click();
  await clerk.waitForURL((url) => url.pathname === `/admin/payments/${p.moid}`);
  assert.equal((await demo.state()).payments.find((g) => g.tid === p.tid).state, "paid", "it was cancelled without the second person");

  const boss = await (await look(browser, "phone")).newPage();
  await walk.signIn(boss, demo);
  await boss.goto(demo.shop + "/admin/work");
  await boss.locator('a[href^="/admin/approvals/"]').first().click();
  assert.match(await boss.locator("main").innerText(), /11,000원/);
  await boss.locator('form[action$="/approve"] button').click();
  await boss.waitForURL(new RegExp(p.moid));
  await clerk.reload();
  await clerk.getByText("21,000").first().waitFor();
  const gateway = (await demo.state()).payments.find((g) => g.tid === p.tid);
  assert.equal(gateway.state, "partly_cancelled");
  await until(`/admin/payments/${p.moid}`, "21,000원");
});

test("what came stands in the list, and says what it would do today", async () => {
  const p = await paid("CARD");
  await until("/admin/messages?show=good&channel=notify", p.moid);
  await staff.locator("tr", { hasText: p.moid }).locator(".c-buyer a").first().click();
  await staff.locator('form[action$="/try"] button').click();
  await staff.getByText("바뀌는 것은 없습니다.").waitFor();
});
