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
  if (first) said.textContent = "The quoted words are marked.";
  else if (!location.hash) said.textContent = "This address names no quote: it shows the whole text.";
  else if (!named) said.textContent = "The end of this address names no quote: nothing is marked.";
  else said.textContent = `This address names a quote that this text of ${length.toLocaleString("en")} characters does not have: nothing is marked.`;
  said.classList.toggle("amiss", !first && location.hash !== "");
  first?.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", mark);
mark();
