import { button, linkButton, panel } from '../elements.js';
import { completeSignIn, signIn, whereSignInStarted } from '../identity.js';
import { messageOf, showProblem } from '../notices.js';
import { content, startPage } from '../page.js';
import { t } from '../texts.js';

startPage(async () => {
  const parameters = new URLSearchParams(location.search);
  history.replaceState(null, '', location.pathname); // the code leaves the address bar at once

  const startedAt = whereSignInStarted();
  try {
    location.replace(await completeSignIn(parameters));
  } catch (error) {
    content().replaceChildren(panel({
      title: t('callback.failed'),
      text: messageOf(error),
      actions: [
        button(t('callback.again'), () => signIn(startedAt).catch((error) => showProblem(error)), 'primary'),
        linkButton(t('callback.back'), startedAt, 'secondary'),
      ],
    }));
  }
});
