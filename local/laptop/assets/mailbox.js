// What SES would have sent.

import { at, element, when } from "./page.js";
import { reader } from "./reader.js";

export const showMailbox = reader(document.querySelector("#mailbox"), { source: "mailbox.json", row, parts });

function row(mail) {
  return [
    element("strong", {}, mail.subject),
    element("span", { className: "quiet" }, mail.to.join(", "), " · ", when(new Date(mail.sent_at))),
  ];
}

function parts(mail) {
  const all = [
    element("h3", {}, mail.subject),
    element("p", { className: "quiet" }, `${mail.from} → ${mail.to.join(", ")} · `, when(new Date(mail.sent_at))),
  ];
  if (mail.html) {
    // Sandboxed twice: here, and by the policy its own address answers with.
    const page = element("iframe", { title: `HTML of “${mail.subject}”`, src: at(`mailbox/${encodeURIComponent(mail.id)}`) });
    page.setAttribute("sandbox", "allow-popups");
    all.push(page);
  }
  if (mail.text) {
    all.push(element("details", { open: !mail.html }, element("summary", {}, "As text"), element("pre", {}, mail.text)));
  }
  return all;
}
