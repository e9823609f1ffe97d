// Kusto.Language, Microsoft's own parser of KQL, compiled to JavaScript, and the table that the alerts' queries read.
"use strict";
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
const { GlobalState, KustoCode, Symbols, Syntax } = Kusto.Language;

// The columns of customMetrics that an alert sees when its scope is the Application Insights resource.
const customMetrics = `(
  timestamp: datetime, name: string, value: real, valueCount: int, valueSum: real, valueMin: real, valueMax: real, valueStdDev: real,
  customDimensions: dynamic, operation_Name: string, operation_Id: string, operation_ParentId: string, operation_SyntheticSource: string,
  session_Id: string, user_Id: string, user_AuthenticatedId: string, user_AccountId: string, application_Version: string,
  client_Type: string, client_Model: string, client_OS: string, client_IP: string, client_City: string, client_StateOrProvince: string,
  client_CountryOrRegion: string, client_Browser: string, cloud_RoleName: string, cloud_RoleInstance: string, appId: string,
  appName: string, iKey: string, sdkVersion: string, itemId: string, itemType: string, itemCount: int, _ResourceId: string)`;

const table = new Symbols.TableSymbol.$ctor7("customMetrics", customMetrics, null);
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("insights", [table], false));

/** Parses a query and resolves every name and type in it. Each problem is one line that begins with its place. */
function analyze(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const problems = Bridge.toArray(code.GetDiagnostics()).map((diagnostic) => {
    const before = query.slice(0, diagnostic.Start).split("\n");
    return `${before.length}:${before.at(-1).length + 1} ${diagnostic.Message}`;
  });
  return { problems, syntax: code.Syntax };
}

/** The elements of one of the parser's lists. */
const elements = (list) => Bridge.toArray(list).map((separated) => separated.Element);

/** The name of a node's kind, such as PipeExpression. */
const kindOf = (node) => System.Enum.getName(Syntax.SyntaxKind, node.Kind);

module.exports = { analyze, elements, kindOf };
