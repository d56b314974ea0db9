/** A worker that never comes up. */

throw new Error("no memory left");
