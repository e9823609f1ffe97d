// Evaluates queries over rows of customMetrics. Microsoft's engine runs only in Azure or in a container, so this is a small one of our
// own, over the syntax tree of Microsoft's parser. It knows what the alerts use, and fails on everything else. Reads
// {"queries": ["<query>", …], "tables": [[row, …], …]} from standard input, and writes the value of each query for each table.
"use strict";
const { analyze, elements, kindOf } = require("./language.js");

// null is KQL's null. A text is never null.
const isNull = (value) => value === null || value === undefined;
const strict = (operation) => (left, right) => (isNull(left) || isNull(right) ? null : operation(left, right));
const operators = {
  EqualExpression: strict((a, b) => a === b),
  NotEqualExpression: strict((a, b) => a !== b),
  GreaterThanExpression: strict((a, b) => a > b),
  GreaterThanOrEqualExpression: strict((a, b) => a >= b),
  AddExpression: strict((a, b) => a + b),
  MultiplyExpression: strict((a, b) => a * b),
  AndExpression: (a, b) => (a === false || b === false ? false : isNull(a) || isNull(b) ? null : true),
  OrExpression: (a, b) => (a === true || b === true ? true : isNull(a) || isNull(b) ? null : false),
};

const text = (value) => (isNull(value) ? "" : String(value));
const functions = {
  tostring: text,
  toint: (value) => (/^\s*[+-]?\d+\s*$/.test(text(value)) ? Number(value) : null),
  isempty: (value) => text(value) === "",
  iff: (condition, yes, no) => (condition === true ? yes : no),
  coalesce: (...values) => values.find((value) => !isNull(value)) ?? null,
};

const largest = (values) => values.reduce((max, value) => (isNull(max) || value > max ? value : max), null);
const aggregates = {
  sum: (rows, of) => rows.map(of).reduce((sum, value) => sum + (value ?? 0), 0),
  max: (rows, of) => largest(rows.map(of)),
};

function unknown(node) {
  throw new Error(`evaluate.js does not know ${kindOf(node)}: ${node.toString().trim()}`);
}

/** A function from a row to the value of an expression. */
function scalar(node) {
  const kind = kindOf(node);
  if (operators[kind]) {
    const [operation, left, right] = [operators[kind], scalar(node.Left), scalar(node.Right)];
    return (row) => operation(left(row), right(row));
  }

  switch (kind) {
    case "NameReference": {
      const name = node.SimpleName;
      return (row) => row[name] ?? null;
    }
    case "PathExpression": {
      const [of, name] = [scalar(node.Expression), node.Selector.SimpleName];
      return (row) => of(row)?.[name] ?? null;
    }
    case "StringLiteralExpression":
      return () => node.LiteralValue;
    case "RealLiteralExpression":
    case "LongLiteralExpression": {
      const number = Number(String(node.LiteralValue));
      return () => number;
    }
    case "ParenthesizedExpression":
      return scalar(node.Expression);
    case "DivideExpression": {
      // Between whole numbers KQL leaves out the remainder, and the parser knows which are whole. None of the queries does that.
      const [left, right] = [scalar(node.Left), scalar(node.Right)];
      const divide = node.ResultType.Name === "real" ? strict((a, b) => a / b) : unknown(node);
      return (row) => divide(left(row), right(row));
    }
    case "InExpression":
    case "NotInExpression": {
      const [of, among] = [scalar(node.Left), elements(node.Right.Expressions).map(scalar)];
      return (row) => among.some((value) => value(row) === of(row)) === (kind === "InExpression");
    }
    case "FunctionCallExpression": {
      const [call, values] = [functions[node.Name.SimpleName] ?? unknown(node), elements(node.ArgumentList.Expressions).map(scalar)];
      return (row) => call(...values.map((value) => value(row)));
    }
    default:
      return unknown(node);
  }
}

/** The columns of a list of expressions, some of which have a name of their own. */
const named = (list) => elements(list).map((node) =>
  kindOf(node) === "SimpleNamedExpression" ? { name: node.Name.SimpleName, of: node.Expression }
  : kindOf(node) === "NameReference" ? { name: node.SimpleName, of: node }
  : unknown(node));

function summarize(operator, rows) {
  const by = operator.ByClause ? named(operator.ByClause.Expressions).map(({ name, of }) => ({ name, of: scalar(of) })) : [];
  const groups = new Map(by.length > 0 ? [] : [["[]", { key: {}, rows: [] }]]);
  for (const row of rows) {
    const key = by.map(({ of }) => of(row));
    const group = groups.get(JSON.stringify(key)) ?? { key: Object.fromEntries(by.map(({ name }, i) => [name, key[i]])), rows: [] };
    group.rows.push(row);
    groups.set(JSON.stringify(key), group);
  }

  return [...groups.values()].map((group) =>
    Object.assign({ ...group.key }, ...elements(operator.Aggregates).map((node) => aggregate(node, group.rows))));
}

function aggregate(node, rows) {
  const [name, call] = kindOf(node) === "SimpleNamedExpression" ? [node.Name.SimpleName, node.Expression] : [null, node];
  if (kindOf(call) !== "FunctionCallExpression") {
    return unknown(call);
  }

  if (call.Name.SimpleName === "arg_max" && name === null) {
    const columns = named(call.ArgumentList.Expressions).map(({ name, of }) => [name, scalar(of)]);
    const by = columns[0][1];
    const top = largest(rows.map(by));
    const row = rows.find((candidate) => by(candidate) === top) ?? {};
    return Object.fromEntries(columns.map(([column, of]) => [column, of(row)]));
  }

  const calculate = aggregates[call.Name.SimpleName] ?? unknown(call);
  return { [name ?? unknown(node)]: calculate(rows, ...elements(call.ArgumentList.Expressions).map(scalar)) };
}

function run(node, rows) {
  switch (kindOf(node)) {
    case "PipeExpression":
      return apply(node.Operator, run(node.Expression, rows));
    case "NameReference":
      return rows;
    default:
      return unknown(node);
  }
}

function apply(operator, rows) {
  switch (kindOf(operator)) {
    case "FilterOperator": {
      const condition = scalar(operator.Condition);
      return rows.filter((row) => condition(row) === true);
    }
    case "ExtendOperator":
      return named(operator.Expressions).map(({ name, of }) => [name, scalar(of)])
        .reduce((extended, [name, of]) => extended.map((row) => ({ ...row, [name]: of(row) })), rows);
    case "ProjectOperator": {
      const columns = named(operator.Expressions).map(({ name, of }) => [name, scalar(of)]);
      return rows.map((row) => Object.fromEntries(columns.map(([name, of]) => [name, of(row)])));
    }
    case "SummarizeOperator":
      return summarize(operator, rows);
    default:
      return unknown(operator);
  }
}

/** The one value of an alert's query: the column value of its only row. */
function evaluate({ problems, syntax }, rows) {
  if (problems.length > 0) {
    throw new Error(problems.join("\n"));
  }

  const [statement, ...others] = elements(syntax.Statements);
  const result = others.length > 0 ? unknown(syntax) : run(statement.Expression, rows);
  if (result.length !== 1) {
    throw new Error(`${result.length} rows`);
  }

  return result[0].value;
}

const { queries, tables } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const analyzed = queries.map(analyze);
console.log(JSON.stringify(tables.map((rows) => analyzed.map((query) => evaluate(query, rows)))));
