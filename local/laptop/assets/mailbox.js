// What SES would have sent.

import { element, look, when } from "./page.js";

const section = document.querySelector("#mailbox");
const list = section.querySelector(".list");
const reader = section.querySelector(".mail");

let shown = "";
let open = null;

export async function showMailbox() {
  const mails = await look("/_local/mailbox.json");
  const seen = mails.map((mail) => mail.id).join();
  if (seen === shown) return;
  shown = seen;
  section.querySelector(".empty").hidden = mails.length > 0;
  section.querySelector(".pair").hidden = mails.length === 0;
  list.replaceChildren(...mails.map(row));
  if (!mails.some((mail) => mail.id === open) && mails.length > 0) read(mails[0]);
  markOpen();
}

function row(mail) {
  const button = element(
    "button",
    { type: "button" },
    element("strong", {}, mail.subject),
    element("span", { className: "quiet" }, mail.to.join(", "), " · ", when(new Date(mail.sent_at))),
  );
  button.dataset.id = mail.id;
  button.addEventListener("click", () => {
    read(mail);
    markOpen();
    reader.scrollIntoView({ block: "nearest" });
  });
  return element("li", {}, button);
}

function markOpen() {
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === open));
  }
}

function read(mail) {
  open = mail.id;
  const parts = [
    element("h3", {}, mail.subject),
    element("p", { className: "quiet" }, `${mail.from} → ${mail.to.join(", ")} · `, when(new Date(mail.sent_at))),
  ];
  if (mail.html) {
    // Sandboxed twice: here, and by the policy its own address answers with.
    const page = element("iframe", { title: `HTML of “${mail.subject}”`, src: `/_local/mailbox/${encodeURIComponent(mail.id)}` });
    page.setAttribute("sandbox", "allow-popups");
    parts.push(page);
  }
  if (mail.text) {
    const text = element("details", { open: !mail.html }, element("summary", {}, "As text"), element("pre", {}, mail.text));
    parts.push(text);
  }
  reader.replaceChildren(...parts);
}
