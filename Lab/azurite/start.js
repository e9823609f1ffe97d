// Starts Azurite so that it stops cleanly, with everything saved, when its standard input closes. This works on every
// operating system, and also when the process that started it dies. Ctrl+C in the terminal reaches both, so Azurite
// ignores it: the process that started it decides when it stops.
const once = process.once.bind(process);
process.once = (event, listener) => (event === "SIGINT" ? process : once(event, listener));
process.on("SIGINT", () => {});
process.stdin.resume().on("end", () => process.emit("SIGTERM"));

// A client that keeps a connection open could delay the stop for a quarter of a minute. By now, all answers have been sent.
const { Server } = require("http");
const close = Server.prototype.close;
Server.prototype.close = function (...done) {
  setTimeout(() => this.closeAllConnections(), 200).unref();
  return close.apply(this, done);
};

// Azurite loads its telemetry client even with --disableTelemetry: 2,800 of 3,800 files, more than half of the start-up time.
require.cache[require.resolve("applicationinsights")] = { exports: {}, loaded: true, children: [] };
require("azurite/dist/src/azurite.js");
