// Writes a picture of every page, phone and desktop, light and dark, Korean and English, into shots/out. Named words
// after the command (node shots.mjs staff-payment sign-in) take only the pages whose names begin with one of them.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { launch, look, views } from "./lib/browser.mjs";
import { startDemo } from "./lib/demo.mjs";
import { publicPages, staffPages, unknownCancel } from "./lib/pages.mjs";
import { fill, openPopup, order, reviewCancel } from "./lib/walk.mjs";

const out = join(import.meta.dirname, "shots", "out");
const chosen = process.argv.slice(2);
const wanted = (name) => !chosen.length || chosen.some((word) => name.startsWith(word));
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const [demo, browser] = await Promise.all([startDemo(), launch()]);

const inLang = (url, lang) => url + (url.includes("?") ? "&" : "?") + "lang=" + lang;

// shoot makes the window as tall as the page: what is fixed to its edges stands where it belongs.
async function shoot(page, name, view) {
  const { width, height } = views[view].viewport;
  await page.evaluate(() => document.fonts.ready);
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width: await page.evaluate(() => document.documentElement.getBoundingClientRect().width), height: Math.max(height, tall) };
  await page.setViewportSize({ width, height: clip.height });
  await page.screenshot({ path: join(out, `${name}.png`), clip });
  await page.setViewportSize({ width, height });
}

// warm opens a page once and forgets it: the font shows from the second page on.
async function warm(context) {
  const page = await context.newPage();
  await page.goto(demo.shop + "/admin");
  await page.evaluate(() => document.fonts.ready);
  return page;
}

// scenes are what no address leads to: each leaves the page to take the picture of.
const scenes = {
  "staff-cancel-part": async (page, moid) => {
    await page.goto(`${demo.shop}/admin/payments/${moid}/cancel`);
    await page.locator('input[name="how"][value="part"]').check();
    await page.locator('input[name="amount"]').fill("1000");
    return page;
  },
  "staff-cancel-confirm": async (page, moid) => {
    await reviewCancel(page, demo, moid, 1000);
    return page;
  },
  // Made anew each time: after a minute the shop has found out.
  "staff-payment-unknown": async (page) => {
    const desk = await look(browser, "desktop", { storageState: await page.context().storageState() });
    const moid = await unknownCancel(await desk.newPage(), demo);
    await desk.close();
    await page.goto(`${demo.shop}/admin/payments/${moid}`);
    return page;
  },
  "gateway-window": async (page, _, view) => {
    await order(page, demo);
    await fill(page);
    if (view === "desktop") return openPopup(page);
    await page.locator("#pay-button").click();
    await page.locator('button[name="action"]').first().waitFor();
    return page;
  },
};

try {
  const first = await look(browser);
  const page = await first.newPage();
  const open = { ...(await publicPages(page, demo)), control: demo.gateway + "/control" };
  const { invite, pages } = await staffPages(page, demo);
  const storageState = await first.storageState();
  delete pages["staff-payment-unknown"];
  const moid = pages["staff-payment"].split("/").pop();
  await first.close();
  for (const view of ["phone", "desktop"]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const lang of ["ko", "en"]) {
        for (const [who, urls] of [[{}, { ...open, invite }], [{ storageState }, pages]]) {
          const context = await look(browser, view, { colorScheme, ...who });
          const tab = await warm(context);
          for (const [name, url] of Object.entries(urls).filter(([name]) => wanted(name))) {
            await tab.goto(inLang(url, lang));
            await shoot(tab, `${name}-${view}-${colorScheme}-${lang}`, view);
          }
          await context.close();
        }
        for (const [name, play] of Object.entries(scenes).filter(([name]) => wanted(name))) {
          const context = await look(browser, view, { colorScheme, storageState });
          const tab = await warm(context);
          await tab.goto(inLang(demo.shop + "/admin", lang));
          await shoot(await play(tab, moid, view), `${name}-${view}-${colorScheme}-${lang}`, view);
          await context.close();
        }
      }
    }
  }
} finally {
  await browser.close();
  await demo.stop();
}
console.log(out);
