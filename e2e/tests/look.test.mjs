// Every page: no accessibility fault, nothing wider than the screen, no script error; in both languages, light and
// dark, on a phone and a desktop; and on paper and a wall of a screen nothing is cut.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { publicPages, staffPages } from "../lib/pages.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let demo, browser, pages; // pages: for whom, and which

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  const context = await look(browser);
  const page = await context.newPage();
  const open = await publicPages(page, demo);
  const staff = await staffPages(page, demo);
  pages = [[{}, { ...open, invite: staff.invite }], [{ storageState: await context.storageState() }, staff.pages]];
  await context.close();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const contrast = { runOnly: ["color-contrast"] }; // all that a scheme of colours changes

// cutText is the words that a box cuts off: not the end of a line that ends in dots, nor what can be scrolled to, nor
// words for screen readers alone.
const cutText = (page) =>
  page.evaluate(() => {
    const cut = [];
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode()); ) {
      if (!text.data.trim() || !text.parentElement.checkVisibility()) continue;
      const words = document.createRange();
      words.selectNodeContents(text);
      const right = words.getBoundingClientRect().right;
      for (let box = text.parentElement; box; box = box.parentElement) {
        const { overflowX, textOverflow } = getComputedStyle(box);
        const edge = box.getBoundingClientRect();
        if (["auto", "scroll"].includes(overflowX) || textOverflow === "ellipsis" || edge.width <= 1) break;
        if (overflowX === "visible" && box !== document.documentElement) continue;
        if (right > edge.right + 1) {
          cut.push(text.data.trim().slice(0, 30));
          break;
        }
      }
    }
    return cut.slice(0, 3);
  });

for (const view of ["phone", "desktop"]) {
  for (const lang of ["ko", "en"]) {
    test(`${view}, ${lang}, light and dark`, async () => {
      const faults = [];
      for (const [who, urls] of pages) {
        const context = await look(browser, view, { bypassCSP: true, reducedMotion: "reduce", ...who });
        const page = await context.newPage();
        page.on("pageerror", (e) => faults.push(`script: ${e.message}`));
        for (const [name, url] of Object.entries(urls)) {
          await page.emulateMedia({ colorScheme: "light" });
          await page.goto(url + (url.includes("?") ? "&" : "?") + "lang=" + lang);
          await page.evaluate(axe);
          const found = [await page.evaluate(() => window.axe.run(document))];
          await page.emulateMedia({ colorScheme: "dark" });
          found.push(await page.evaluate((only) => window.axe.run(document, only), contrast));
          for (const v of found.flatMap((f) => f.violations)) {
            faults.push(`${name}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(", ")}`);
          }
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          if (wide > 0) faults.push(`${name}: ${wide} px wider than the screen`);
          const cut = await cutText(page);
          if (cut.length) faults.push(`${name}: cut off: ${cut.join("; ")}`);
          assert.equal(await page.locator("html").getAttribute("lang"), lang, name);
        }
        await context.close();
      }
      assert.deepEqual(faults, []);
    });
  }
}

const paper = { width: 680, height: 1010 }; // A4 between its margins
const wall = { width: 3840, height: 2160 };

test("on paper and on a wall of a screen", async () => {
  const faults = [];
  for (const [who, urls] of pages) {
    const context = await look(browser, "desktop", who);
    const page = await context.newPage();
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    // What stands out of its place on a sheet can't be scrolled to. Words for screen readers alone stand nowhere.
    const outside = () =>
      page.evaluate(() =>
        [...document.querySelectorAll("main *")]
          .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1 && e.getBoundingClientRect().right > window.innerWidth)
          .slice(0, 3)
          .map((e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 30)}`),
      );
    for (const [name, url] of Object.entries(urls)) {
      await page.emulateMedia({ media: "print" });
      await page.setViewportSize(paper);
      await page.goto(url);
      const cut = await outside();
      if ((await wide()) > 0 || cut.length) faults.push(`${name}: wider than the paper: ${cut.join("; ")}`);
      await page.emulateMedia({ media: "screen" });
      await page.setViewportSize(wall);
      if ((await wide()) > 0) faults.push(`${name}: wider than the wall`);
    }
    await context.close();
  }
  assert.deepEqual(faults, []);
});
