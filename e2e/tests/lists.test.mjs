// What staff take out as files and bring in: an export opened again and compared with the list, and the gateway's list.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { launch, look } from "../lib/browser.mjs";
import { startDemo } from "../lib/demo.mjs";
import { cancelPart, fill, openPopup, order, pay, press, signIn } from "../lib/walk.mjs";

let demo, browser, buyer, staff;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  buyer = await (await look(browser)).newPage();
  staff = await (await look(browser)).newPage();
  await signIn(staff, demo);
  await pay(buyer, demo);
  await cancelPart(staff, demo, (await newest()).moid, 1000);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

// newest is the payment whose window was opened last.
const newest = async () => (await demo.state()).payments[0];

// part reads one file of a packed one.
function part(zip, name) {
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1")) + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [size, nameLength, extra, comment] = [zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const local = zip.readUInt32LE(at + 42);
    if (zip.toString("utf8", at + 46, at + 46 + nameLength) === name) {
      const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      return inflateRawSync(zip.subarray(from, from + size)).toString("utf8");
    }
    at += 46 + nameLength + extra + comment;
  }
  throw new Error(`no ${name} in the file`);
}

const won = (text) => Number(text.replace(/[^0-9-]/g, ""));

// sums are the last list's own: payments, paid, back, left.
async function sums(address) {
  await staff.goto(demo.shop + address);
  const cells = await staff.locator("table.payments tfoot td").allInnerTexts();
  const [count, paid, back] = cells[0].split("·").map(won);
  return { count, paid, back, left: won(cells[1]) };
}

async function download(format) {
  await staff.locator(`input[name="format"][value="${format}"]`).check({ force: true });
  await staff.locator('select[name="reason"]').selectOption("books");
  const [file] = await Promise.all([staff.waitForEvent("download"), staff.locator("form[data-export] button[type=submit]").click()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

test("an export is the list, to the won, and runs nothing", async () => {
  const list = await sums("/admin?clock=paid");
  assert.ok(list.count > 3 && list.paid > 0 && list.back >= 1000, JSON.stringify(list));
  await staff.locator('a[href^="/admin/export"]').click();
  const file = await download("xlsx");
  assert.match(file.name, /연습.*\.xlsx$/);
  const rows = part(file.bytes, "xl/worksheets/sheet1.xml").match(/<row .*?<\/row>/gs);
  const cell = (row, column) => new RegExp(`<c r="${column}[0-9]+"[^>]*>(?:<f>[^<]*</f>)?<v>([^<]*)</v>`).exec(row)?.[1];
  const foot = rows.at(-1);
  assert.equal(rows.length, 3 + list.count + 1);
  assert.deepEqual(["R", "S", "T"].map((c) => Number(cell(foot, c))), [list.paid, list.back, list.left]);
  const added = rows.slice(3, -1).reduce((sum, row) => sum + Number(cell(row, "R")), 0);
  assert.equal(added, list.paid);
  assert.equal(rows.slice(0, -1).filter((row) => row.includes("<f>")).length, 0);
  await staff.locator("[data-making] span").filter({ hasText: "파일을 보냈어요" }).waitFor();

  await staff.locator('input[name="personal"]').check();
  const csv = (await download("csv")).bytes.toString("utf8");
  assert.ok(csv.startsWith("\uFEFF") && csv.includes("\r\n") && !/(^|,)"?[=+@]/m.test(csv));
  assert.equal(csv.trim().split("\r\n").length, 1 + list.count);
});

test("a close is the list, to the won", async () => {
  const day = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Seoul" }).format(new Date());
  const list = await sums(`/admin?clock=paid&from=${day}&to=${day}&mode=test`);
  await staff.goto(`${demo.shop}/admin/reports?day=${day}&mode=test`);
  const cells = (await staff.locator("table.close tfoot td").allInnerTexts()).map(won);
  assert.deepEqual([cells[0], cells[1]], [list.count, list.paid]);
});

test("the gateway's list settles what nobody told", async () => {
  await demo.fault("notify_lost");
  await demo.fault("return_lost");
  await order(buyer, demo);
  await fill(buyer);
  const popup = await openPopup(buyer);
  const lost = await newest();
  await press(popup, "approve");
  for (let tries = 0; (await newest()).state !== "paid"; tries++) {
    assert.ok(tries < 100, "the gateway did not approve");
    await staff.waitForTimeout(100);
  }
  const answer = await fetch(`${demo.gateway}/merchant/list?format=xlsx`);
  const file = { name: "거래내역.xlsx", mimeType: "application/octet-stream", buffer: Buffer.from(await answer.arrayBuffer()) };
  await staff.goto(demo.shop + "/admin/work");
  await staff.locator('a[href="/admin/imports"]').click();
  await staff.locator('input[name="file"]').setInputFiles(file);
  await staff.locator('form[action="/admin/imports"] button').click();
  await staff.waitForURL(/\/admin\/imports\/[A-Z0-9]+/);
  await staff.locator("li", { hasText: lost.moid }).filter({ hasText: "저쪽은 결제됨, 여기는 아님" }).waitFor();
  const state = async () => {
    const page = await staff.context().newPage();
    await page.goto(`${demo.shop}/admin/payments/${lost.moid}`);
    const text = await page.locator("main").innerText();
    await page.close();
    return text;
  };
  assert.ok(!(await state()).includes("거래내역으로 확인"));
  await staff.locator('form[action$="/apply"] input[name="reason"]').fill("월말 맞춤");
  await staff.locator('form[action$="/apply"] button').click();
  await staff.getByText("반영했어요").waitFor();
  const now = await state();
  assert.ok(now.includes("거래내역으로 확인") && now.includes("결제됨"), now);
});
