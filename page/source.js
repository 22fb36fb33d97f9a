// Marks the quoted characters of an article's text, which the address names as #START-END.
// They are counted in code points, as Python counts; JavaScript's own strings are UTF-16.
"use strict";
function mark() {
  const text = document.getElementById("text");
  const said = document.getElementById("marked");
  if (!text) return;
  const length = Number(text.dataset.length);
  const named = /^#(\d{1,9})-(\d{1,9})$/.exec(location.hash);
  const [start, end] = named ? [Number(named[1]), Number(named[2])] : [0, 0];
  const within = start < end && end <= length;
  for (const paragraph of text.querySelectorAll("[data-start]")) {
    const points = Array.from(paragraph.textContent);
    const begin = Number(paragraph.dataset.start);
    const from = within ? Math.min(Math.max(start - begin, 0), points.length) : 0;
    const to = within ? Math.min(Math.max(end - begin, 0), points.length) : 0;
    const quote = document.createElement("mark");
    quote.textContent = points.slice(from, to).join("");
    paragraph.replaceChildren(points.slice(0, from).join(""), ...(from < to ? [quote] : []), points.slice(to).join(""));
  }
  const first = text.querySelector("mark");
  const found = first ? "marked" : !location.hash ? "whole" : named ? "beyond" : "unnamed";
  said.textContent = said.dataset[found];
  said.classList.toggle("amiss", !first && location.hash !== "");
  first?.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", mark);
addEventListener("DOMContentLoaded", mark);
// Light or dark as chosen in the chat, else as the system has it; last, since a browser may forbid to look.
document.documentElement.style.colorScheme = localStorage.getItem("viadoma-theme") ?? "";
