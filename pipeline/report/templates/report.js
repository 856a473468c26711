"use strict";
document.documentElement.classList.add("scripted");

// The confusion matrix: what a cell holds is said in words where a pointer, a finger or the arrow
// keys are.
for (const matrix of document.querySelectorAll(".matrix")) {
  const readout = document.getElementById("confusion-readout");
  const rows = [...matrix.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  const tell = (cell) => { if (cell) readout.textContent = cell.dataset.says; };
  matrix.addEventListener("pointerover", (event) => tell(event.target.closest("td")));
  matrix.addEventListener("click", (event) => tell(event.target.closest("td")));
  matrix.addEventListener("focusin", (event) => tell(event.target.closest("td")));
  matrix.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell) return;
    const row = rows.findIndex((cells) => cells.includes(cell));
    const next = rows[row + step[0]]?.[rows[row].indexOf(cell) + step[1]];
    if (!next) return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// The mean way of a class from x1 to x0: one curve for each time, chosen by a slider.
const holder = document.getElementById("way-data");
if (holder) {
  const ways = JSON.parse(holder.textContent);
  const [slider, choice, play, said, plot] = ["t", "class", "play", "said", "plot"].map((name) =>
    document.getElementById("way-" + name));
  const numbers = (curve) =>
    Int8Array.from(atob(curve.bytes), (letter) => letter.charCodeAt(0));
  const path = (curve, most) => {
    const values = numbers(curve);
    const x = (i) => (1000 * i / Math.max(1, values.length - 1)).toFixed(1);
    const y = (value) => (100 - 96 * value / 127 * curve.most / most).toFixed(1);
    return "M" + Array.from(values, (value, i) => x(i) + " " + y(value)).join("L");
  };
  let timer = 0;
  const draw = () => {
    const way = ways[choice ? choice.value : 0];
    const step = Number(slider.value);
    const most = Math.max(way.code.most, ...way.states.map((state) => state.most));
    const t = way.times[step].toFixed(2), cosine = way.cosines[step].toFixed(2);
    plot.querySelector(".code").setAttribute("d", path(way.code, most));
    plot.querySelector(".state").setAttribute("d", path(way.states[step], most));
    said.textContent = `t = ${t}, cosine with the code ${cosine}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    plot.setAttribute("aria-label", `Mean state of ${way.clips} clips of ${way.name} at t = ${t}`);
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
  slider.addEventListener("input", () => { stop(); draw(); });
  choice?.addEventListener("change", draw);
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) slider.value = 0;
    play.textContent = "Stop";
    timer = setInterval(() => {
      slider.stepUp();
      draw();
      if (slider.value === slider.max) stop();
    }, 180);
  });
  document.getElementById("way-still").open = false;
  draw();
}

// On paper nothing is folded away.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const one of folded) one.open = true;
});
addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
