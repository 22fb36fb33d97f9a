() => {
  // Markers in an answer show their source beside the chat; on a phone it comes up from below.
  const panel = () => document.querySelector("aside.sources");
  const close = () => {
    panel()?.classList.remove("picked");
    document.querySelectorAll(".card.lit, .group.current").forEach((one) => one.classList.remove("lit", "current"));
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("aside.sources .close")) return close();
    const marker = event.target.closest('a[href*="#cite-"]');
    if (!marker) return;
    event.preventDefault();
    const card = document.getElementById(marker.getAttribute("href").split("#")[1]);
    if (!card) return;
    close();
    panel().classList.add("picked");
    card.closest(".group").classList.add("current");
    card.classList.add("lit");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
  // The address is that of the conversation shown, to be opened again or handed on.
  const address = () => {
    const shown = document.querySelector("#saving [data-conversation]");
    if (!shown) return; // nothing has been loaded yet
    const name = shown.dataset.conversation;
    const wanted = name ? `?c=${name}` : "";
    if (location.search !== wanted) history.replaceState(null, "", location.pathname + wanted);
  };
  const saving = document.getElementById("saving");
  if (saving) new MutationObserver(address).observe(saving, { childList: true, subtree: true });
  // An answer is copied as it reads, not as the Markdown it is made of.
  const clipboard = navigator.clipboard;
  if (clipboard) {
    const write = clipboard.writeText.bind(clipboard);
    clipboard.writeText = (text) =>
      write(
        text
          .replace(/\[\\\[(\d+)\\\]\]\(#cite-[^)]*\)/g, "[$1]")
          .replace(/<\/?(small)[^>]*>/g, "")
          .replace(/(?<!\\)\*\*/g, "")
          .replace(/\u00a0/g, " ")
          .replace(/\\([^\w\s])/g, "$1")
      );
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
}
