// Makes the README's pictures: node e2e/pictures.mjs, with GAGE_ADMIN naming the binary.
import { join } from "node:path";
import { launch, look } from "./lib/browser.mjs";
import { startDemo } from "./lib/demo.mjs";
import { order, signIn } from "./lib/walk.mjs";

const out = join(import.meta.dirname, "..", "docs", "img");
const [demo, browser] = await Promise.all([startDemo(), launch()]);
const shoot = async (page, name) => {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(out, name) });
};
try {
  const buyer = await (await look(browser, "phone", { deviceScaleFactor: 2 })).newPage();
  await order(buyer, demo);
  await shoot(buyer, "checkout.png");
  const staff = await (await look(browser)).newPage();
  await signIn(staff, demo);
  await shoot(staff, "payments.png");
  await staff.goto(demo.shop + "/admin?q=" + encodeURIComponent("백이준"));
  await staff.locator('a[href^="/admin/payments/"]').first().click();
  await staff.waitForURL(/payments\//);
  await shoot(staff, "payment.png");
} finally {
  await browser.close();
  await demo.stop();
}
