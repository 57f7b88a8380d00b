// The two-minute tour of the README, in both languages: every word that it tells people to look for is there.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";

let demo, browser, readme;

before(async () => {
  [demo, browser, readme] = await Promise.all([startDemo(), launch(), readFile(new URL("../../README.md", import.meta.url), "utf8")]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

// told is a word of the tour, which stands in it in bold.
function told(word) {
  assert.ok(readme.includes(`**${word}**`), `the README does not tell of ${word}`);
  return word;
}

const tours = {
  Korean: {
    locale: "ko-KR", query: "", order: "주문하기", pay: "결제하기", paid: "결제됐어요", signIn: "로그인",
    cancel: "취소…", part: "일부만", confirm: "10,000원 취소하기", left: "남음",
    faults: ["통보 유실", "결과 화면 유실", "금액 위조", "취소 무응답"],
  },
  English: {
    locale: "en-US", query: "?lang=en", order: "Order", pay: "Pay", paid: "Paid", signIn: "Sign in",
    cancel: "Cancel…", part: "A part", confirm: "Cancel ₩10,000", left: "Left", faults: [],
  },
};

for (const [language, say] of Object.entries(tours)) {
  test(`the tour in ${language}`, async () => {
    const page = await (await look(browser, "desktop", { locale: say.locale })).newPage();
    await page.goto(demo.shop + "/" + say.query);
    await page.getByRole("button", { name: told(say.order) }).first().click();
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: told(say.pay) }).click()]);
    const first = popup.locator("button").first();
    assert.match(await first.innerText(), new RegExp(told("결제하기")));
    await Promise.all([popup.waitForEvent("close"), first.click()]);
    await page.getByText(told(say.paid), { exact: true }).first().waitFor();

    await page.goto(demo.shop + "/admin" + say.query);
    await page.locator('input[name="email"]').fill("demo@example.com");
    await page.locator('input[name="password"]').fill("demo-demo-demo");
    await page.getByRole("button", { name: say.signIn }).click();
    await page.waitForURL((url) => url.pathname === "/admin");
    for (const q of ["홍길", "9999"]) {
      const box = page.getByRole("searchbox");
      await box.fill(q);
      await box.press("Enter");
      await page.waitForURL((url) => url.searchParams.get("q") === q);
    }
    await page.locator('a[href^="/admin/payments/"]').first().click();
    await page.getByRole("link", { name: told(say.cancel) }).click();
    await page.getByText(told(say.part), { exact: true }).click();
    await page.locator('input[name="amount"]').fill("10000");
    await page.locator('[name="reason"]').first().fill("사이즈 교환");
    await page.locator("main form").last().getByRole("button").last().click();
    await page.getByRole("button", { name: say.confirm }).click();
    const head = page.locator("header.headline");
    await head.getByText(told(say.left)).waitFor();
    assert.match(await head.innerText(), /23,000/);

    await page.goto(demo.gateway + "/control");
    for (const word of [...say.faults, "강제 입금"]) await page.getByText(told(word)).first().waitFor();
  });
}
