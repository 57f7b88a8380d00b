// The browser and the ways to look at the shop: a desktop, a phone, one without scripts.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const androidAgent =
  "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";

export async function launch() {
  const path = process.env.GAGE_CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(path)) throw new Error(`no browser at ${path}: install chromium or set GAGE_CHROMIUM`);
  return chromium.launch({ executablePath: path, args: flags });
}

export const views = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 360, height: 740 }, userAgent: androidAgent, isMobile: true, hasTouch: true },
};

// look opens a fresh browser profile: no cookies, nothing remembered.
export async function look(browser, view = "desktop", options = {}) {
  const context = await browser.newContext({ locale: "ko-KR", ...views[view], ...options });
  context.setDefaultTimeout(15_000);
  return context;
}
