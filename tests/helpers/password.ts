/** What tests sign in with. */

export const PASSWORD = "correct horse battery";
/** Verified in a millisecond: tests sign in often, and how long a hash takes is not what they try. */
export const PASSWORD_HASH = Bun.password.hashSync(PASSWORD, { algorithm: "bcrypt", cost: 4 });
