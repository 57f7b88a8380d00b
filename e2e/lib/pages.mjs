// Every page that a person can reach, by name: what the look tests and the screenshots walk through.
import { fill, order, pay, signIn } from "./walk.mjs";

// publicPages makes the buyer's pages and returns their URLs.
export async function publicPages(page, demo) {
  const open = await order(page, demo);
  const paid = await pay(page, demo);
  const waiting = await pay(page, demo, "VBANK");
  const declined = await finished(page, demo, "decline");
  return {
    home: demo.shop + "/",
    "pay-open": open,
    "pay-paid": paid,
    "pay-waiting": waiting,
    "pay-declined": declined,
    received: demo.shop + "/pay/received",
    "not-found": demo.shop + "/nothing-here",
    "sign-in": demo.shop + "/admin/sign-in",
  };
}

async function finished(page, demo, action) {
  const url = await order(page, demo);
  await fill(page);
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator("#pay-button").click()]);
  await popup.locator(`button[name="action"][value="${action}"]`).first().click();
  await page.locator(`main[data-status="declined"]`).waitFor();
  return url;
}

// staffPages signs in and returns the back office's URLs.
export async function staffPages(page, demo) {
  await signIn(page, demo);
  const payment = await page.locator('a[href^="/admin/payments/"]').first().getAttribute("href");
  await page.goto(demo.shop + "/admin?q=" + encodeURIComponent("김서연"));
  const card = await page.locator('a[href^="/admin/payments/"]').first().getAttribute("href");
  return {
    "staff-payments": demo.shop + "/admin",
    "staff-search": demo.shop + "/admin?q=" + encodeURIComponent("김서"),
    "staff-nothing": demo.shop + "/admin?q=" + encodeURIComponent("없는사람"),
    "staff-payment-latest": demo.shop + payment,
    "staff-payment": demo.shop + card.split("?")[0],
    "staff-cancel": demo.shop + card.split("?")[0] + "/cancel",
    "staff-requests": demo.shop + "/admin/requests",
    "staff-new-request": demo.shop + "/admin/requests/new",
    "staff-work": demo.shop + "/admin/work",
    "staff-settings": demo.shop + "/admin/settings",
  };
}
