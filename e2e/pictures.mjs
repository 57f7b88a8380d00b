// Makes the README's pictures: node e2e/pictures.mjs, with GAGE_ADMIN naming the binary.
import { join } from "node:path";
import { launch, look } from "./lib/browser.mjs";
import { startDemo } from "./lib/demo.mjs";
import { cancelPart, order, signIn } from "./lib/walk.mjs";

const out = join(import.meta.dirname, "..", "docs", "img");
const [demo, browser] = await Promise.all([startDemo(), launch()]);

// shoot takes the picture of a page that was shown once before: only then is the font at hand.
async function shoot(page, name) {
  await page.reload();
  await page.evaluate(() => document.fonts.ready);
  const { width, height } = await page.evaluate(() => ({ width: document.documentElement.getBoundingClientRect().width, height: innerHeight }));
  await page.screenshot({ path: join(out, name), clip: { x: 0, y: 0, width, height } }); // without the scroll bar's place
}

try {
  const buyer = await (await look(browser, "desktop", { viewport: { width: 800, height: 760 } })).newPage();
  await order(buyer, demo);
  await shoot(buyer, "checkout.png");
  const staff = await (await look(browser, "desktop", { viewport: { width: 1280, height: 800 } })).newPage();
  await signIn(staff, demo);
  await shoot(staff, "payments.png");
  await staff.goto(demo.shop + "/admin?state=paid&q=" + encodeURIComponent("이서현"));
  const moid = (await staff.locator('a[href^="/admin/payments/"]').first().getAttribute("href")).split("?")[0].split("/").pop();
  await cancelPart(staff, demo, moid, 9800);
  await staff.locator(".timeline").getByText("취소 통보").first().waitFor(); // before or after the answer to the call
  await shoot(staff, "payment.png");
} finally {
  await browser.close();
  await demo.stop();
}
