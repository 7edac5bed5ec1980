/** The rules and their tests, as they stand in examples/observability/. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { observabilityFile } from "./dashboard-queries.ts";

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleTest {
  readonly name: string;
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test?: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
  readonly promql_expr_test?: readonly { readonly expr: string }[];
}

export function yamlFile(name: string): unknown {
  return parse(readFileSync(observabilityFile(name), "utf8"));
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export function ruleGroups(): readonly RuleGroup[] {
  return (yamlFile("prometheus-rules.yaml") as { readonly groups: readonly RuleGroup[] }).groups;
}

export function allRules(): readonly Rule[] {
  return ruleGroups().flatMap(({ rules }) => rules);
}

export function ruleTests(): readonly RuleTest[] {
  return (yamlFile("prometheus-rules.test.yaml") as { readonly tests: readonly RuleTest[] }).tests;
}
