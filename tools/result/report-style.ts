// SPDX-License-Identifier: GPL-2.0-only

/**
 * The page's only style sheet. Dark colours are for screens only, so that print is always dark on white. Every
 * text colour has a contrast of at least 4.5 to its ground, every mark of a plot at least 3.
 */
export const STYLE = `
:root {
  color-scheme: light;
  --ground: #ffffff; --raised: #f5f6f7; --line: #d5d9dd; --text: #1b1f23; --muted: #57606a; --link: #0b5394; --shade: #00000055;
  --pass: #17663a; --fail: #b3261e; --skip: #755600;
  --s0: #1f5f8b; --s1: #4a8db6; --s2: #7d4a17; --s3: #b0772f;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --ground: #14171a; --raised: #1d2125; --line: #363c42; --text: #e4e7ea; --muted: #9da7b1; --link: #86bdec; --shade: #ffffff40;
    --pass: #6dcb93; --fail: #ff8f85; --skip: #dfb54a;
    --s0: #93c8ec; --s1: #5c9cc6; --s2: #e8b87e; --s3: #bd8848;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif;
}
.page { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
a { color: var(--link); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 600; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; } h2 + h3, summary h3 { margin: 0; }
h4 { font-size: .9rem; margin: 1.1rem 0 .35rem; }
p { margin: .4rem 0; overflow-wrap: anywhere; }
code, pre, .mono { font-family: ui-monospace, 'SF Mono', 'DejaVu Sans Mono', 'Liberation Mono', Menlo, monospace; font-size: .85em; }
code { overflow-wrap: anywhere; }
pre {
  margin: .35rem 0; padding: .6rem .75rem; background: var(--raised); border: 1px solid var(--line);
  overflow-x: auto; line-height: 1.4; font-size: .8rem; tab-size: 8;
}
.muted { color: var(--muted); }
.small { font-size: .85rem; }
.verdict { border-left: 6px solid var(--tone); padding: .1rem 0 .1rem 1rem; margin: .75rem 0 1rem; }
.verdict .word { color: var(--tone); font-size: 2rem; font-weight: 700; letter-spacing: .02em; line-height: 1.15; }
.verdict.pass { --tone: var(--pass); } .verdict.fail { --tone: var(--fail); } .verdict.skip { --tone: var(--skip); }
.badge { font-weight: 600; white-space: nowrap; }
.badge.pass { color: var(--pass); } .badge.fail { color: var(--fail); } .badge.skip { color: var(--skip); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .75rem 0 0; }
ul.why { margin: .5rem 0; padding-left: 1.2rem; }
ul.why li, ol.patches li { overflow-wrap: anywhere; margin: .15rem 0; }
ol.patches { margin: .35rem 0 0; padding-left: 2rem; font-variant-numeric: tabular-nums; }
dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1.25rem; margin: 0; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.scroll {
  overflow-x: auto; max-width: 100%;
  /* A shade at the edge behind which there is more; covers of the ground's colour move with the content. */
  background:
    linear-gradient(to right, var(--ground) 40%, transparent) left / 2.5rem 100% local no-repeat,
    linear-gradient(to left, var(--ground) 40%, transparent) right / 2.5rem 100% local no-repeat,
    linear-gradient(to right, var(--shade), transparent) left / .8rem calc(100% - 2px) scroll no-repeat,
    linear-gradient(to left, var(--shade), transparent) right / .8rem calc(100% - 2px) scroll no-repeat;
}
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; line-height: 1.35; }
caption { text-align: left; color: var(--muted); font-size: .85rem; padding: 0 0 .35rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-weight: 500; font-size: .85rem; border-bottom-color: var(--muted); vertical-align: bottom; }
tbody th { font-weight: 500; }
th, td.n { white-space: nowrap; }
th.n, td.n { text-align: right; }
table.wide { width: 100%; } .wide td { white-space: nowrap; } .wide td .small { white-space: normal; }
.matrix td { min-width: 7rem; }
.runs { margin-top: 1.25rem; }
.matrix a { text-decoration: none; } .matrix a:hover { text-decoration: underline; }
.matrix .counts { display: block; color: var(--muted); font-size: .8rem; white-space: nowrap; }
.matrix .counts span + span::before { content: ', '; }
details.run { border: 1px solid var(--line); margin: 0 0 .6rem; }
details.run > summary { padding: .5rem .75rem; background: var(--raised); cursor: pointer; display: flex; flex-wrap: wrap; gap: .1rem 1rem; align-items: baseline; }
details.run > summary::before { content: '▸'; color: var(--muted); }
details.run[open] > summary::before { content: '▾'; }
details.run > summary::-webkit-details-marker { display: none; }
details.run > .body { padding: .5rem .75rem .9rem; }
details.inner { margin: .7rem 0 0; } details.inner > summary { cursor: pointer; color: var(--link); }
.tree, .tree ul { list-style: none; margin: 0; padding-left: 1rem; font-size: .85rem; } .tree { padding: 0; }
.tree li { overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem 2.5rem; margin: .5rem 0 1.25rem; }
.scroll + .plots { margin-top: 1.5rem; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; font-size: .9rem; margin-bottom: .25rem; }
svg { display: block; width: 100%; height: auto; max-width: 34rem; }
svg text { fill: var(--text); font: 11px system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif; font-variant-numeric: tabular-nums; }
svg text.m { fill: var(--muted); } svg text.g { font-weight: 600; }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .span { stroke: var(--muted); stroke-width: 1.5; }
svg .s0 { fill: var(--s0); } svg .s1 { fill: var(--s1); } svg .s2 { fill: var(--s2); } svg .s3 { fill: var(--s3); }
svg .p50 { fill: var(--ground); stroke: var(--s0); stroke-width: 1.75; } svg .p99 { fill: var(--s0); } svg .p999 { fill: var(--s2); }
svg .one { stroke: var(--muted); stroke-width: 1; } svg .axis { stroke: var(--muted); stroke-width: 1; } svg .lead { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 2; }
svg .line { fill: none; stroke-width: 1.75; stroke-linejoin: round; } svg .line.s0, svg .line.s2 { fill: none; } svg .line.s0 { stroke: var(--s1); stroke-width: 3.5; } svg .line.s2 { stroke: var(--s2); stroke-width: 1.5; } svg circle.s0:not(.open):not(.dot) { fill: var(--s1); } svg .ring { fill: none; stroke: var(--text); stroke-width: 1.25; }
svg .whisker { stroke-width: 1.5; } svg .whisker.s0 { stroke: var(--s0); } svg .whisker.s2 { stroke: var(--s2); } svg .whisker.same, svg .whisker.open { stroke: var(--muted); }
svg .dot.same { fill: var(--muted); } svg .dot.open { fill: var(--ground); stroke: var(--muted); stroke-width: 1.5; } svg .open.s0, svg .open.s2 { fill: var(--ground); stroke-width: 1.75; } svg .open.s0 { stroke: var(--s1); } svg .open.s2 { stroke: var(--s2); }
.what { display: block; white-space: normal; color: var(--muted); font-size: .92em; font-weight: 400; min-width: 14rem; }
td.why { white-space: normal; min-width: 12rem; }
.breaks { padding-left: 0; list-style: none; } .breaks b { display: inline-block; min-width: 1.4rem; }
.next { margin-top: 1.25rem; }
pre.paste { display: inline-block; max-width: 100%; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .85rem; }
@media (max-width: 30rem) {
  .page { padding: 1rem .85rem 2rem; }
  h1 { font-size: 1.25rem; }
  th, td { padding-right: .7rem; }
  .matrix td { min-width: 4.2rem; } .matrix .counts span { display: block; } .matrix .counts span + span::before { content: none; }
  dl.facts { grid-template-columns: minmax(0, 1fr); gap: 0; } dl.facts dd { margin-bottom: .5rem; }
}
@media print {
  @page { margin: 15mm; }
  html, body { font-size: 10pt; }
  .page { max-width: none; padding: 0; }
  nav { display: none; }
  a { color: inherit; text-decoration: none; }
  .scroll { overflow: visible; background: none; }
  table, caption, thead th { font-size: 8pt; } td.why, .what { min-width: 0; }
  /* The figures of plots are on paper, open or not. */
  details.figures::details-content { content-visibility: visible; block-size: auto; } details.figures > summary { color: var(--muted); }
  th, td { padding-right: .45rem; } .wide td:not(.n) { white-space: normal; overflow-wrap: anywhere; } .wide td.unit { white-space: nowrap; }
  .plots { grid-template-columns: 1fr 1fr; gap: 1rem 1.5rem; }
  tr, figure, h2, h3, h4, details.run > summary { break-inside: avoid; }
  h2, h3, h4, caption { break-after: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 7.5pt; }
}
`
