// Starts Azurite so that it stops politely, with everything saved, when its standard input closes: the same on every
// operating system, and also when the process that started it dies. Ctrl+C in the terminal reaches both: whoever
// started Azurite decides when it stops.
const once = process.once.bind(process);
process.once = (event, listener) => (event === "SIGINT" ? process : once(event, listener));
process.on("SIGINT", () => {});
process.stdin.resume().on("end", () => process.emit("SIGTERM"));
require("azurite/dist/src/azurite.js");
