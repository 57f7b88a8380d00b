// The back office by keyboard, and news without jumps. Every page works without it.
const box = document.querySelector("[data-search]");
const rows = [...document.querySelectorAll("[data-rows] tbody tr[data-href]")];
let at = -1;

function go(n) {
  if (!rows.length) return;
  rows[at]?.removeAttribute("data-at");
  at = Math.max(0, Math.min(rows.length - 1, n));
  rows[at].setAttribute("data-at", "");
  rows[at].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  if (event.key === "/" && box) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "j") go(at + 1);
  else if (event.key === "k") go(at - 1);
  else if (event.key === "Enter" && at >= 0 && !event.target.closest("a, button")) location.assign(rows[at].dataset.href);
});

for (const row of rows) {
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button") && !getSelection().toString()) location.assign(row.dataset.href);
  });
}

// The look at a receipt is recorded: on to the gateway's page.
const onward = document.querySelector("a[data-onward]");
if (onward) location.replace(onward.href);

// New payments are offered, never pushed into the list that somebody reads.
const fresh = document.querySelector("[data-fresh]");
if (fresh?.dataset.newest) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`${fresh.dataset.fresh}?since=${fresh.dataset.newest}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { fresh: count } = await answer.json();
      fresh.querySelector("span").textContent = fresh.dataset.word.replace("%d", count);
      fresh.hidden = !count;
    } catch {
      // the line is down: the next try says more
    }
  }, 5000);
}

// Something is under way: look again until it is settled, unless somebody types.
const live = document.querySelector("[data-live]");
if (live) {
  setInterval(
    () => {
      if (!document.hidden && !document.activeElement?.closest("input, textarea, details")) location.reload();
    },
    (Number(live.dataset.live) || 4) * 1000,
  );
}

// The remainder is computed as one types; typing an amount chooses the part.
const form = document.querySelector("form[data-cancel]");
const out = form?.querySelector("[data-remainder]");
if (out) {
  const amount = form.elements.namedItem("amount");
  const part = form.querySelector('input[name="how"][value="part"]');
  const left = Number(form.dataset.left);
  const show = () => {
    const n = Number(amount.value.replace(/[^0-9]/g, ""));
    out.toggleAttribute("data-wrong", n > left);
    out.textContent = n > left ? out.dataset.over : n > 0 ? out.dataset.left.replace("%s", (left - n).toLocaleString("ko-KR")) : "";
  };
  const choose = () => {
    amount.required = part.checked;
  };
  form.addEventListener("change", (event) => {
    choose();
    if (event.target === part) amount.focus();
  });
  amount.addEventListener("input", () => {
    part.checked = true;
    choose();
    show();
  });
  choose();
  show();
}

// The last question stands over the page and keeps the keyboard; Escape leads back to what was typed.
const question = document.querySelector("dialog[data-confirm]");
if (question) {
  question.close();
  question.showModal();
  question.addEventListener("cancel", (event) => {
    event.preventDefault();
    question.querySelector('input[name="change"]').click();
  });
}

// How far a file is that is being made. The page stays while the browser fetches it.
for (const making of document.querySelectorAll("form[data-export]")) {
  making.addEventListener("submit", () => {
    const line = making.querySelector("[data-making]");
    const bar = line.querySelector("progress");
    const word = line.querySelector("span");
    const button = making.querySelector('button[type="submit"]');
    bar.removeAttribute("value");
    word.textContent = "";
    line.hidden = false;
    button.setAttribute("aria-disabled", "true");
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    making.elements.namedItem("key").value = key; // another file by the same form is another one
    const look = setInterval(async () => {
      const answer = await fetch(`/admin/export/progress?key=${key}`, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      const { rows, of, done } = await answer.json();
      if (of) {
        bar.max = of;
        bar.value = rows;
      }
      word.textContent = done ? word.dataset.done : word.dataset.word.replace("%s", rows.toLocaleString("ko-KR"));
      if (!done) return;
      bar.max = bar.value = 1;
      button.removeAttribute("aria-disabled");
      clearInterval(look);
    }, 500);
  });
}

// The browser's own print dialogue.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
