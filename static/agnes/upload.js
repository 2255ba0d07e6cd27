// What was picked is named, and what is too much is said before it is sent; without JavaScript the server says so.
const form = document.querySelector("form.upload");
const picked = form.querySelector(".picked");
const button = form.querySelector("button");
const inputs = [...form.querySelectorAll("input[type=file]")];

function look() {
  const files = inputs.flatMap((it) => [...it.files]);
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const tooMuch = bytes > form.dataset.mostBytes || files.length > form.dataset.mostFiles;
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
  const what = files.length === 1 ? files[0].name : `${files.length} files`;
  picked.hidden = files.length === 0;
  picked.textContent = tooMuch ? `${what}, ${size}: that is too much. Leave out data and dependencies.` : `${what}, ${size}`;
  picked.classList.toggle("bad", tooMuch);
  button.disabled = tooMuch;
}

for (const input of inputs) {
  input.addEventListener("change", () => {
    for (const other of inputs) if (other !== input && input.files.length) other.value = "";
    look();
  });
}

form.addEventListener("dragover", (event) => event.preventDefault());
form.addEventListener("drop", (event) => {
  if (event.target.type === "file") return;
  event.preventDefault();
  inputs[0].files = event.dataTransfer.files;
  inputs[0].dispatchEvent(new Event("change"));
});

form.addEventListener("submit", () => {
  button.disabled = true;
  button.textContent = "Looking at it…";
});
// Back from another page, the form is as it was left.
window.addEventListener("pageshow", () => {
  button.textContent = "Upload";
  look();
});
