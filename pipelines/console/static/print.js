// The one script of the console: a button that prints. Without it, Ctrl+P does the same.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
