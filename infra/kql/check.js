// Reads {"<name>": "<query>", …} from standard input. Writes each problem on a line; the exit code is 1 if there is one.
"use strict";
const { analyze } = require("./language.js");

const queries = Object.entries(JSON.parse(require("fs").readFileSync(0, "utf8")));
const problems = queries.flatMap(([name, query]) => analyze(query).problems.map((problem) => `${name}:${problem}`));
problems.forEach((problem) => console.log(problem));
process.exitCode = problems.length > 0 ? 1 : 0;
