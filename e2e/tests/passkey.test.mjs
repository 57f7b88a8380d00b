// Passkeys with the browser's own virtual authenticator: made, used at the door and where the password is asked again,
// refused after they are removed. Browsers know passkeys for names, so the demo is called localhost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { signIn, signOut } from "../lib/walk.mjs";

let browser, demo, site;
before(async () => {
  [browser, demo] = await Promise.all([launch(), startDemo()]);
  site = { ...demo, shop: demo.shop.replace("127.0.0.1", "localhost") };
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

// authenticator gives the page's browser a device with a finger that always fits, until it is told otherwise.
async function authenticator(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return {
    verifies: (isUserVerified) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    keys: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
}

test("a passkey's life", async () => {
  const context = await look(browser);
  const page = await context.newPage();
  const device = await authenticator(page);
  await signIn(page, site);

  await page.goto(site.shop + "/admin/account");
  await page.getByRole("button", { name: "패스키 만들기" }).click();
  await page.getByLabel("이름").fill("사무실 노트북");
  await page.getByRole("button", { name: "만들기", exact: true }).click();
  await page.getByRole("heading", { name: "복구 코드" }).waitFor();
  const codes = await page.locator(".recovery li").allTextContents();
  assert.equal(codes.length, 10);
  assert.equal((await device.keys()).length, 1);
  await page.goto(site.shop + "/admin/account");
  await page.locator("#passkeys").getByText("사무실 노트북").waitFor();

  // The same device is told that it has one.
  await page.getByRole("button", { name: "패스키 만들기" }).click();
  await page.getByRole("button", { name: "만들기", exact: true }).click();
  await page.getByText("이 기기에는 패스키가 이미 있어요").waitFor();
  assert.equal((await device.keys()).length, 1);

  // At the door: no name, no password; the page that was asked for comes.
  await signOut(page);
  await page.goto(site.shop + "/admin/account");
  await page.waitForURL(/sign-in\?next=/);
  await page.getByRole("button", { name: "패스키로 로그인" }).click();
  await page.waitForURL(site.shop + "/admin/account");

  // A finger that does not fit leaves the door shut, and says what to do.
  await signOut(page);
  await device.verifies(false);
  await page.getByRole("button", { name: "패스키로 로그인" }).click();
  await page.getByRole("alert").filter({ hasText: "취소했거나 시간이 지났어요" }).waitFor();
  assert.match(page.url(), /sign-in/);
  await device.verifies(true);

  // The password alone is not enough any more; the passkey goes on from there.
  await page.locator('input[name="email"]').fill("demo@example.com");
  await page.locator('input[name="password"]').fill("demo-demo-demo");
  await page.locator('input[name="password"]').press("Enter");
  await page.waitForURL(/sign-in\/code/);
  assert.equal(await page.locator('input[name="code"]').count(), 0, "digits of an app are asked for, and there is none");
  await page.getByRole("button", { name: "패스키로 로그인" }).click();
  await page.waitForURL((url) => url.pathname === "/admin");

  // Removed: what the device still has opens nothing.
  await page.goto(site.shop + "/admin/account");
  await page.getByRole("button", { name: "사무실 노트북 패스키 지우기" }).click();
  await page.getByText("패스키를 지웠어요").waitFor();
  await signOut(page);
  await page.getByRole("button", { name: "패스키로 로그인" }).click();
  await page.getByText("이 패스키는 이 가게에 등록되어 있지 않아요").waitFor();
  await context.close();
});

test("a number is no name: the page says where passkeys work", async () => {
  const context = await look(browser);
  const page = await context.newPage();
  await signIn(page, demo);
  await page.goto(demo.shop + "/admin/account");
  const link = page.locator("#passkeys").getByRole("link");
  assert.equal(await link.getAttribute("href"), site.shop + "/admin/account#passkeys");
  assert.equal(await page.getByRole("button", { name: "패스키 만들기" }).count(), 0);
  await context.close();
});
