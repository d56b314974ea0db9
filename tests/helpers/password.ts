/** The password of the tests. */

export const PASSWORD = "correct horse battery";
/** Verified in a millisecond: tests sign in often, and the cost of a hash is not what they test. */
export const PASSWORD_HASH = Bun.password.hashSync(PASSWORD, { algorithm: "bcrypt", cost: 4 });
