() => {
  // Belarusian is not among Gradio's own languages, so the page says itself what it is in.
  const language = document.querySelector("#head header")?.lang;
  if (language) document.documentElement.lang = language;
  // What Gradio leaves unnamed to a screen reader: the search of a table, and a list whose items are buttons.
  // And what Gradio says in a corner is English.
  const { search, toasts } = document.querySelector("#head header")?.dataset ?? {};
  const ours = JSON.parse(toasts ?? "{}");
  const name = () => {
    for (const one of document.querySelectorAll("input.search-input:not([aria-label])")) {
      one.setAttribute("aria-label", search);
      one.placeholder = search;
    }
    for (const one of document.querySelectorAll(".examples[role=list]")) one.setAttribute("role", "group");
    for (const one of document.querySelectorAll(".toast-title, .toast-message-text")) {
      const said = ours[one.textContent.trim()];
      if (said && said !== one.textContent) one.textContent = said;
    }
    for (const one of document.querySelectorAll(".toast-close")) one.setAttribute("aria-label", ours.Close);
  };
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  // Markers in an answer show their source beside the chat; on a phone it comes up from below.
  const panel = () => document.querySelector("aside.sources");
  // Which one is kept here: Gradio builds the sources anew with each sentence of an answer.
  let lit = "";
  const light = () => {
    const card = lit ? document.getElementById(lit) : null;
    if (!card) lit = "";
    document.querySelectorAll(".card.lit, .group.current").forEach((one) => one.classList.remove("lit", "current"));
    panel()?.classList.toggle("picked", Boolean(card));
    card?.closest(".group").classList.add("current");
    card?.classList.add("lit");
    return card;
  };
  const close = () => {
    lit = "";
    light();
  };
  // The focus goes back to where it came from, which may have been built anew meanwhile.
  let opener = null;
  const leave = () => {
    const within = panel()?.contains(document.activeElement);
    const marker = opener?.isConnected ? opener : document.querySelector(`#chat a[href$="#${lit || "none"}"]`);
    close();
    if (within) marker?.focus();
    tip.hidden = true; // which the focus has shown
  };
  const side = document.getElementById("sources");
  if (side) new MutationObserver(light).observe(side, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    if (event.target.closest("aside.sources .close")) return leave();
    const marker = event.target.closest('a[href*="#cite-"]');
    if (!marker) return;
    event.preventDefault();
    const card = cardOf(marker);
    if (!card) return;
    tip.hidden = true;
    opener = marker;
    lit = card.id;
    light();
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
  if (location.hash.startsWith("#cite-")) {
    lit = location.hash.slice(1); // clicked before this ran
    light();
  }
  // A marker that is pointed at or reached by keyboard shows its quote.
  const tip = document.body.appendChild(document.createElement("div"));
  Object.assign(tip, { id: "quote-tip", role: "tooltip", hidden: true });
  const cardOf = (marker) => document.getElementById(marker.getAttribute("href").split("#")[1]);
  const tell = (event) => {
    const marker = event.target.closest?.('a[href*="#cite-"]');
    const card = marker && cardOf(marker);
    tip.hidden = !card;
    if (!card) return;
    const quote = document.createElement("q");
    quote.textContent = card.querySelector("mark").textContent;
    quote.lang = card.querySelector("blockquote").lang;
    quote.dir = "auto";
    const from = document.createElement("span");
    from.textContent = [card.querySelector("h3 span:last-child"), card.querySelector(".about")]
      .map((one) => one.textContent)
      .join(" · ");
    tip.replaceChildren(quote, from);
    marker.setAttribute("aria-describedby", tip.id);
    const place = marker.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(place.left, innerWidth - tip.offsetWidth - 8))}px`;
    const above = place.top - tip.offsetHeight - 6;
    tip.style.top = `${above > 8 ? above : place.bottom + 6}px`;
  };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, tell);
  for (const name of ["focusout", "scroll"]) document.addEventListener(name, () => (tip.hidden = true), true);
  // Light, dark, or as the system has it, until a click says otherwise; a language that was chosen is kept.
  const themed = (mode) => document.body.classList.toggle("dark", mode === "dark");
  const kept = localStorage.getItem("viadoma-theme");
  if (kept) themed(kept);
  document.addEventListener("click", (event) => {
    if (event.target.closest(".theme")) {
      const mode = document.body.classList.contains("dark") ? "light" : "dark";
      localStorage.setItem("viadoma-theme", mode);
      themed(mode);
    }
    const chosen = event.target.closest(".languages a");
    if (chosen) {
      document.cookie = `viadoma-language=${chosen.lang};path=/;max-age=31536000;samesite=lax`;
      chosen.search = location.search; // the same conversation
    }
  });
  // A new question goes to the top and stays there while its answer grows, so that this is read from its first
  // sentence; until the reader scrolls.
  const chat = document.getElementById("chat");
  let [questions, held] = [chat?.querySelectorAll(".user-row").length ?? 0, false];
  const follow = () => {
    const rows = chat.querySelectorAll(".user-row");
    const last = rows[rows.length - 1];
    if (rows.length > questions) close(); // its answer shows its own sources
    if (rows.length !== questions) held = rows.length > questions;
    questions = rows.length;
    const box = chat.querySelector("[role=log]");
    if (held && last && box) box.scrollTop += last.getBoundingClientRect().top - box.getBoundingClientRect().top;
  };
  if (chat) {
    new MutationObserver(follow).observe(chat, { childList: true, subtree: true, characterData: true });
    for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) chat.addEventListener(name, () => (held = false));
  }
  // The address is that of the conversation shown, to be opened again or handed on.
  const address = () => {
    const shown = document.querySelector("#saving [data-conversation]");
    if (!shown) return; // nothing has been loaded yet
    const name = shown.dataset.conversation;
    const wanted = name ? `?c=${name}` : "";
    if (location.search !== wanted) history.replaceState(null, "", location.pathname + wanted);
  };
  const saving = document.getElementById("saving");
  if (saving) {
    // Gradio builds it anew or changes what differs
    const changes = { childList: true, subtree: true, attributeFilter: ["data-conversation"] };
    new MutationObserver(address).observe(saving, changes);
    address(); // an answer may have come before this ran
  }
  // An answer is copied as it reads, not as the Markdown it is made of, with a footnote for each marker.
  const footnotes = (text) => {
    const named = [...new Set([...text.matchAll(/\]\(#(cite-[^)]*)\)/g)].map((found) => found[1]))];
    const lines = named.map((id) => {
      const card = document.getElementById(id);
      if (!card) return "";
      const link = card.querySelector("a.open") || card.querySelector("a.permanent");
      const about = [card.querySelector("h3 span:last-child"), card.querySelector(".about")];
      const said = about.map((one) => one.textContent.trim()).filter(Boolean);
      return `[${card.querySelector(".number").textContent}] ${[...said, link.href].join(". ")}`;
    });
    return lines.filter(Boolean).length ? `\n\n${lines.filter(Boolean).join("\n")}` : "";
  };
  const clipboard = navigator.clipboard;
  if (clipboard) {
    const write = clipboard.writeText.bind(clipboard);
    clipboard.writeText = (text) =>
      write(
        text
          .replace(/\[\\\[(\d+)\\\]\]\(#cite-[^)]*\)/g, "[$1]")
          .replace(/<\/?(small|bdi)[^>]*>/g, "")
          .replace(/(?<!\\)\*\*/g, "")
          .replace(/\u00a0/g, " ")
          .replace(/\\([^\w\s])/g, "$1") + footnotes(text)
      );
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
  });
}
