// Starts Azurite so that it stops politely, with everything saved, when its standard input closes: the same on every
// operating system, and also when the process that started it dies. Ctrl+C in the terminal reaches both: whoever
// started Azurite decides when it stops.
const once = process.once.bind(process);
process.once = (event, listener) => (event === "SIGINT" ? process : once(event, listener));
process.on("SIGINT", () => {});
process.stdin.resume().on("end", () => process.emit("SIGTERM"));

// A client that keeps a connection open may hold up the end for a quarter of a minute: whoever stops Azurite has its answers.
const { Server } = require("http");
const close = Server.prototype.close;
Server.prototype.close = function (...done) {
  setTimeout(() => this.closeAllConnections(), 200).unref();
  return close.apply(this, done);
};

// Azurite loads its telemetry client even with --disableTelemetry: 2,800 of 3,800 files, more than half of the time to start.
require.cache[require.resolve("applicationinsights")] = { exports: {}, loaded: true, children: [] };
require("azurite/dist/src/azurite.js");
