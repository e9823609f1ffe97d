// Started by hand, because the web socket is the only way in: no request but GET gets past the server's guard.
Blazor.start({
  circuit: {
    configureSignalR: (builder) => builder.withUrl('_blazor', { skipNegotiation: true, transport: 1 }).configureLogging(3),
  },
});

// The server gave up what this page held, because it was away for long: a laptop that slept, for example.
document.getElementById('components-reconnect-modal').addEventListener('components-reconnect-state-changed', (e) => {
  if (e.detail.state === 'rejected') {
    location.reload();
  }
});

// "/" jumps to the search box, as people expect.
document.addEventListener('keydown', (e) => {
  if (e.key === '/' && !e.ctrlKey && !e.metaKey && !e.altKey && !/^(input|textarea|select)$/i.test(e.target.tagName)) {
    e.preventDefault();
    document.getElementById('search')?.focus();
  }
});

// A button copies the text before it.
document.addEventListener('click', async (e) => {
  const button = e.target.closest('[data-copy]');
  if (button) {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  }
});

// Whether anybody is looking at the page, and at its top.
window.studio = {
  place: () => (document.visibilityState === 'hidden' ? 'hidden' : window.scrollY < 80 ? 'top' : 'down'),
};
