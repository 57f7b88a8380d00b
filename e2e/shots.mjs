// Writes a picture of every page, phone and desktop, light and dark, Korean and English, into shots/out.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { launch, look } from "./lib/browser.mjs";
import { startDemo } from "./lib/demo.mjs";
import { publicPages, staffPages } from "./lib/pages.mjs";

const out = join(import.meta.dirname, "shots", "out");
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const [demo, browser] = await Promise.all([startDemo(), launch()]);
try {
  const first = await look(browser);
  const page = await first.newPage();
  const pages = { ...(await publicPages(page, demo)), ...(await staffPages(page, demo)), control: demo.gateway + "/control" };
  const storageState = await first.storageState();
  await first.close();
  for (const view of ["phone", "desktop"]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const lang of ["ko", "en"]) {
        const context = await look(browser, view, { colorScheme, storageState });
        const tab = await context.newPage();
        for (const [name, url] of Object.entries(pages)) {
          await tab.goto(url + (url.includes("?") ? "&" : "?") + "lang=" + lang);
          await tab.screenshot({ path: join(out, `${name}-${view}-${colorScheme}-${lang}.png`), fullPage: true });
        }
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await demo.stop();
}
console.log(out);
