/** How a request may say whom it comes from, for the description of the API; any one of a list is enough. */
export const signedIn = [{ bearer: [] }, { accessCookie: [] }];
export const refreshing = [{ refreshCookie: [] }];
