/** How the page looks: one column, colours by the reader's theme, and black on white on paper. */
export const STYLE: string = `
:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --page: #fff; --card: #f6f8fa; --line: #d1d9e0;
  --blue: #0969da; --orange: #bc4c00; --purple: #8250df; --green: #1a7f37; --grey: #6e7781; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #a4adb8; --page: #0d1117; --card: #161b22;
  --line: #3d444d; --blue: #58a6ff; --orange: #f0883e; --purple: #bc8cff; --green: #3fb950; --grey: #8b949e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 768px; margin: 0 auto; padding: 24px 24px 64px; }
h1, h2, h3, th, td, li, dd, p { overflow-wrap: anywhere; }
h1 { font-size: 28px; line-height: 1.25; margin: 0; }
h2 { font-size: 21px; line-height: 1.3; margin: 48px 0 8px; }
h3 { font-size: 17px; margin: 24px 0 8px; }
p { margin: 8px 0; max-width: 65ch; }
.soft, footer { color: var(--soft); font-size: 14px; }
.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; margin: 24px 0 0; }
.headlines div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.headlines dt { font-size: 14px; color: var(--soft); }
.headlines dd { margin: 0; font-variant-numeric: tabular-nums; }
.headlines .value { font-size: 26px; font-weight: 600; line-height: 1.3; }
.headlines .says { font-size: 13px; color: var(--soft); }
.advice { list-style: none; margin: 8px 0; padding: 0; }
.advice li { border-left: 4px solid var(--grey); padding: 4px 0 4px 12px; margin: 12px 0; max-width: 68ch; }
.advice .act { border-color: var(--orange); } .advice .look { border-color: var(--blue); } .advice .good { border-color: var(--green); }
figure { margin: 16px 0 8px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 8px; padding: 0; font-size: 14px; }
.legend span { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 8px; }
.blue { background: var(--blue); } .orange { background: var(--orange); } .purple { background: var(--purple); }
.green { background: var(--green); } .grey { background: var(--grey); }
.narrow { display: none; }
svg { color: var(--text); max-width: 100%; height: auto; }
details { margin: 8px 0; }
summary { cursor: pointer; font-size: 14px; color: var(--soft); }
.scroll { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; font-size: 14px; width: 100%; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); vertical-align: bottom; }
tbody th { min-width: 9em; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; padding: 6px 0 6px 12px; }
thead .number { white-space: normal; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
footer { margin-top: 48px; border-top: 1px solid var(--line); padding-top: 12px; }
@media (max-width: 560px) { main { padding: 16px 16px 48px; } .headlines { grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); } .headlines .value { font-size: 22px; } .wide { display: none; } .narrow { display: block; } }
@media print {
  :root { color-scheme: light; --text: #000; --soft: #444; --page: #fff; --card: #fff; --line: #bbb;
    --blue: #0969da; --orange: #bc4c00; --purple: #8250df; --green: #1a7f37; --grey: #6e7781; }
  * { print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  .wide { display: block; } .narrow { display: none; }
  figure, tr, .headlines div, .advice li { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
