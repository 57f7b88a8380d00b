// The second step of signing in with an app's codes: turned on, asked for at the door, used once each; and the recovery
// codes for whoever lost the phone.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startMovable } from "../lib/demo.mjs";
import { signIn, signOut } from "../lib/walk.mjs";

let demo, browser;

before(async () => {
  [demo, browser] = await Promise.all([startMovable(), launch()]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

// digits is what an app on the owner's phone shows (RFC 6238: SHA-1, six digits, thirty seconds), hours from now.
function digits(secret, hours) {
  const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => base32.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor((Date.now() / 1000 + hours * 3600) / 30)));
  const mac = createHmac("sha1", key).update(step).digest();
  const at = mac.at(-1) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const wrong = (right) => String((Number(right) + 1) % 1_000_000).padStart(6, "0");

// proves S15, S16
test("an app's codes: turned on, asked for at the door, each used once; recovery codes in their place", async () => {
  const page = await (await look(browser)).newPage();
  await signIn(page, demo);
  await page.goto(demo.shop + "/admin/account/second");
  const secret = (await page.locator(".secret-url code").innerText()).replace(/\s/g, "");

  const enter = async (code, field = "code") => {
    await page.locator(`input[name="${field}"]`).fill(code);
    await page.locator(`input[name="${field}"]`).press("Enter");
  };
  await enter(wrong(digits(secret, 0)));
  await page.getByText("숫자가 맞지 않아요").waitFor();
  assert.equal((await page.locator(".secret-url code").innerText()).replace(/\s/g, ""), secret, "a new secret after a slip");
  const first = digits(secret, 0);
  await enter(first);
  await page.locator(".recovery li").first().waitFor();
  const recovery = await page.locator(".recovery li").allInnerTexts();
  assert.equal(recovery.length, 10);

  // The password alone opens nothing.
  const door = async () => {
    await page.goto(demo.shop + "/admin/sign-in");
    await page.locator('input[name="email"]').fill("demo@example.com");
    await page.locator('input[name="password"]').fill("demo-demo-demo");
    await page.locator('input[name="password"]').press("Enter");
    await page.waitForURL((url) => url.pathname === "/admin/sign-in/code");
  };
  await signOut(page);
  await door();
  await page.goto(demo.shop + "/admin");
  await page.waitForURL(/\/admin\/sign-in/);
  await page.goto(demo.shop + "/admin/sign-in/code");
  await enter(first);
  await page.getByText("코드가 맞지 않거나").waitFor(); // it was used when it was turned on
  await demo.ahead(1);
  await door();
  await enter(digits(secret, 1));
  await page.waitForURL((url) => url.pathname === "/admin");

  // The phone is lost.
  await signOut(page);
  await door();
  await page.locator("details.more summary").click();
  await enter(recovery[0], "recovery");
  await page.waitForURL((url) => url.pathname === "/admin");
  await signOut(page);
  await door();
  await page.locator("details.more summary").click();
  await enter(recovery[0], "recovery");
  await page.getByRole("alert").waitFor();
  assert.match(page.url(), /\/admin\/sign-in\/code/, "a recovery code was taken twice");
  await enter(recovery[1], "recovery");
  await page.waitForURL((url) => url.pathname === "/admin");
  await page.context().close();
});
