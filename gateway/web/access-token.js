// @ts-check
/**
 * Take the token that permits a call out of the address, where it follows `#token=`.
 *
 * Browsers send nothing after the `#`, so the token appears in no server's log. Removing it keeps
 * it out of bookmarks and screenshots, too.
 *
 * @returns {string | null} null without a token.
 */
export function takeAccessToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return token === "" ? null : token;
}
