// What buyers and staff do, step by step.

export const buyer = { name: "한가람", tel: "010-0042-4821", email: "garam@example.com" };

// order buys the first sample article and leaves the page at its checkout.
export async function order(page, demo) {
  await page.goto(demo.shop + "/");
  await page.locator("main form button[type=submit], main form button:not([type])").first().click();
  await page.waitForURL(/\/pay\/[A-Z0-9]{26}/);
  return page.url().split("?")[0];
}

// fill types the buyer's details where the checkout asks for them, and chooses the method.
export async function fill(page, method = "CARD", who = buyer) {
  await page.locator(`input[name="method"][value="${method}"]`).check({ force: true });
  for (const [field, value] of [["buyer_name", who.name], ["buyer_tel", who.tel], ["buyer_email", who.email]]) {
    const input = page.locator(`#pay input[name="${field}"]`);
    if (await input.count()) await input.fill(value);
  }
}

// openPopup presses the pay button on a desktop and returns the gateway's window.
export async function openPopup(page) {
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator("#pay-button").click()]);
  await popup.locator('button[name="action"]').first().waitFor();
  return popup;
}

export async function press(window, action) {
  await window.locator(`button[name="action"][value="${action}"]`).first().click();
}

// pay pays an order on a desktop from the sample page to the paid page.
export async function pay(page, demo, method = "CARD", who = buyer) {
  const url = await order(page, demo);
  await fill(page, method, who);
  const popup = await openPopup(page);
  await press(popup, "approve");
  await status(page, method === "VBANK" ? "waiting" : "paid");
  return url;
}

// status waits until the checkout shows that status.
export async function status(page, want, timeout = 20_000) {
  await page.locator(`main[data-status="${want}"]`).waitFor({ timeout });
}

// signIn signs the demo's owner in.
export async function signIn(page, demo) {
  await page.goto(demo.shop + "/admin/sign-in");
  await page.locator('input[name="email"]').fill("demo@example.com");
  await page.locator('input[name="password"]').fill("demo-demo-demo");
  await page.locator('input[name="password"]').press("Enter");
  await page.waitForURL((url) => url.pathname === "/admin");
}

// signOut leads back to the door.
export async function signOut(page) {
  await page.locator('form[action="/admin/sign-out"] button').click();
  await page.waitForURL(/\/admin\/sign-in/);
}

// reviewCancel fills the form of a cancel and leaves the page at the last question.
export async function reviewCancel(page, demo, moid, amount) {
  await page.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  await page.locator('input[name="how"][value="part"]').check();
  await page.locator('input[name="amount"]').fill(String(amount));
  await page.locator('input[name="reason"]').fill("일부 반품");
  await page.locator("#cancel-go").click();
  await page.locator("#cancel-confirm").waitFor();
}

// cancelPart fills the form, reads what will happen, and says yes.
export async function cancelPart(page, demo, moid, amount) {
  await reviewCancel(page, demo, moid, amount);
  await page.locator("#cancel-confirm").click();
  await page.waitForURL((url) => url.pathname === `/admin/payments/${moid}`);
}

// latest is the newest payment at the simulated gateway.
export async function latest(demo) {
  return (await demo.state()).payments[0];
}

// subscribe makes a subscription that is charged on demand, and returns its page and the customer's link.
export async function subscribe(page, demo) {
  await page.goto(demo.shop + "/admin/subscriptions/new");
  for (const [name, value] of [["buyer_name", buyer.name], ["buyer_tel", buyer.tel], ["buyer_email", buyer.email], ["goods", "꽃 구독"], ["amount", "44000"]]) {
    await page.locator(`input[name="${name}"]`).fill(value);
  }
  await page.locator('select[name="day"]').selectOption("0");
  await page.locator('main form button[type="submit"]').click();
  await page.waitForURL(/\/admin\/subscriptions\/[A-Z0-9]{8}$/);
  return { at: page.url(), link: await page.locator("p.tid a").getAttribute("href") };
}

// registerCard registers a card by a customer's link.
export async function registerCard(page, link) {
  await page.goto(link);
  await page.locator('form[action$="/card"] button').click();
  await press(page, "approve");
  await page.waitForURL(/\/subscription\//);
  await page.locator('main[data-state="active"]').waitFor();
}

// until looks at a page again until it says so: what the gateway tells comes when it comes.
export async function until(page, url, words) {
  const main = page.locator("main");
  for (let tries = 0; tries < 50; tries++) {
    await page.goto(url);
    if ((await main.innerText()).includes(words)) return;
    await page.waitForTimeout(200);
  }
  throw new Error(`${url} never says ${words}: ${await main.innerText()}`);
}

// askAccount has staff ask a payment's buyer for the account of a refund; the buyer enters it on a page of their own.
export async function askAccount(staff, buyer, demo, moid) {
  await staff.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
  await staff.getByRole("button", { name: "구매자에게 계좌 물어보기" }).click();
  await staff.getByText("구매자에게 이 글을 보내세요").waitFor();
  await buyer.goto(demo.shop + /\/refund\/[A-Z0-9]{26}/.exec(await staff.locator("main").innerText())[0]);
  await buyer.getByLabel("은행").selectOption("088");
  await buyer.getByLabel("예금주").fill("한가람");
  await buyer.getByLabel("계좌번호").fill("110-123-456789");
  await buyer.getByRole("button", { name: "이 계좌로 받기" }).click();
  await buyer.getByText("계좌를 받았어요").waitFor();
}
