/** PromQL taken apart, as far as names and labels go. */
import { parser } from "@prometheus-io/lezer-promql";

type Node = ReturnType<ReturnType<typeof parser.parse>["resolve"]>;

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** `name{label="value"}`; the name may stand among the matchers. */
export interface Selector {
  readonly name: Matcher;
  readonly matchers: readonly Matcher[];
  /** Whether it stands inside `sum by (...) (...)` or the like. */
  readonly isAggregated: boolean;
}

/** `sum by (...) (...)` or the like. */
export interface Aggregation {
  /** Undefined: not by labels but `without` some. */
  readonly by: readonly string[] | undefined;
  readonly isOutermost: boolean;
  readonly selectors: readonly Selector[];
}

export interface Promql {
  /** Parts that are no PromQL. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  readonly aggregations: readonly Aggregation[];
}

export function readPromql(expression: string): Promql {
  const text = ({ from, to }: Node): string => expression.slice(from, to);
  const errors: string[] = [];
  const selectors: { readonly node: Node; readonly selector: Selector }[] = [];
  const aggregations: Node[] = [];
  parser.parse(expression).iterate({
    enter({ node, type }) {
      if (type.isError) errors.push(`${text(node) || "end"} at ${node.from}`);
      if (type.name === "AggregateExpr") aggregations.push(node);
      if (type.name === "VectorSelector") selectors.push({ node, selector: selectorOf(node, text) });
    },
  });
  return {
    errors,
    selectors: selectors.map(({ selector }) => selector),
    aggregations: aggregations.map((node) => {
      const modifier = node.getChild("AggregateModifier");
      const labels = modifier?.getChild("GroupingLabels")?.getChildren("LabelName").map(text) ?? [];
      return {
        by: modifier?.getChild("Without") ? undefined : labels,
        isOutermost: !isInside(node, "AggregateExpr"),
        selectors: selectors
          .filter((inner) => inner.node.from >= node.from && inner.node.to <= node.to)
          .map(({ selector }) => selector),
      };
    }),
  };
}

function selectorOf(node: Node, text: (node: Node) => string): Selector {
  const matchers = (node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []).map(
    (matcher): Matcher => {
      const [label, operator, value] = ["LabelName", "MatchOp", "StringLiteral"].map((kind) => {
        const child = matcher.getChild(kind);
        return child === null ? "" : text(child);
      }) as [string, string, string];
      return { label, operator, value: value.slice(1, -1) };
    },
  );
  const identifier = node.getChild("Identifier");
  const name =
    identifier === null
      ? matchers.find(({ label }) => label === "__name__")
      : { label: "__name__", operator: "=", value: text(identifier) };
  return {
    name: name ?? { label: "__name__", operator: "=", value: "" },
    matchers: matchers.filter(({ label }) => label !== "__name__"),
    isAggregated: isInside(node, "AggregateExpr"),
  };
}

function isInside(node: Node, kind: string): boolean {
  for (let parent = node.parent; parent !== null; parent = parent.parent) {
    if (parent.name === kind) return true;
  }
  return false;
}
