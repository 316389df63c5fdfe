/** The page's own nonce: styles we add carry it, so the policy needs no `unsafe-inline`. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
