// Passkeys: the browser is asked when the form is sent, and its answer goes with the form.
async function ask(form) {
  const told = form.dataset.options
    ? { options: JSON.parse(form.dataset.options) }
    : await fetch(form.dataset.from, { method: "POST", headers: { Accept: "application/json" } }).then((r) => r.ok && r.json());
  if (!told) throw new Error("no question");
  if (told.question) form.elements.passkey_question.value = told.question;
  const made =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(told.options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(told.options) });
  return JSON.stringify(made.toJSON());
}

function why(error) {
  if (error.name === "NotAllowedError" || error.name === "AbortError") return "stopped";
  if (error.name === "InvalidStateError") return "known";
  return error.name === "NotSupportedError" || error.name === "TypeError" ? "unable" : "failed";
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const said = form.querySelector("[data-passkey-said]");
  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.passkey_answer.value) return;
    event.preventDefault();
    if (asking) return;
    asking = true;
    said.hidden = true;
    try {
      form.elements.passkey_answer.value = await ask(form);
      form.requestSubmit();
    } catch (error) {
      said.textContent = said.dataset[why(error)];
      said.hidden = false;
    }
    asking = false;
  });
  addEventListener("pageshow", () => {
    form.elements.passkey_answer.value = ""; // Back must not send an answer again
  });
}
