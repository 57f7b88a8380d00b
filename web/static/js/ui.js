// What every page shares: copy buttons, dialogs, forms that are sent once. Pages work without it.
document.documentElement.classList.add("js");

async function copy(button) {
  const value = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // Webviews and plain HTTP have no clipboard: the old way.
    const area = document.createElement("textarea");
    area.value = value;
    area.readOnly = true;
    area.className = "visually-hidden";
    button.after(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    button.focus();
    if (!done) return;
  }
  const word = button.querySelector("[data-copy-word]");
  const before = word.textContent;
  if (button.dataset.done !== undefined) return;
  button.dataset.done = "";
  word.textContent = button.dataset.copied;
  setTimeout(() => {
    delete button.dataset.done;
    word.textContent = before;
  }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }
});

// A form with data-once is sent once; Back from the answer unlocks it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("form[data-once]")) return;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  const button = event.submitter;
  if (!button) return;
  button.setAttribute("aria-disabled", "true");
  if (button.dataset.busy) button.textContent = button.dataset.busy;
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
});
