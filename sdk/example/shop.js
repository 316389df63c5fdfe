// All that a page has to do; the script element's data attributes have already called kizuna.init().
const find = (id) => document.getElementById(id);

kizuna.page();
kizuna.cards(find('cards'));
kizuna.inbox(find('inbox'));
kizuna.on('unread', ({ card, inbox }) => {
  document.title = card + inbox ? `(${card + inbox}) The tea shop` : 'The tea shop';
});

find('cart').addEventListener('click', () => kizuna.track('Product Added', { sku: 'sencha', price: 12 }));
find('sign-out').addEventListener('click', () => kizuna.reset());
find('push').addEventListener('click', () => kizuna.askForPush());

// Your server makes the token: hex HMAC-SHA256 of the user id with the secret of the in_page provider.
find('sign-in').addEventListener('click', async () => {
  const { userId, userToken } = await (await fetch('/session')).json();
  kizuna.identify(userId, { name: 'Ada' }, { userToken });
});
