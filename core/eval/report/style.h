// SPDX-License-Identifier: LGPL-2.1-or-later
// The style sheet of a report: from 380 to 1600 pixels, and on paper. Colours are those of Okabe
// and Ito, told apart by every eye; nothing is told by colour alone.
#pragma once

namespace uad::report {

inline constexpr char kStyle[] = R"css(
:root{--ink:#1b2530;--soft:#566270;--line:#d5dbe2;--panel:#f5f7f9;--good:#0072b2;--bad:#b34700}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1500px;margin:0 auto;padding:1rem clamp(1rem,3vw,3rem) 2rem}
h1{font-size:clamp(1.4rem,3vw,2rem);line-height:1.2;margin:.5rem 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2rem 0 .8rem;padding-top:.8rem;border-top:2px solid var(--ink);overflow-wrap:anywhere}
h3{font-size:1.05rem;margin:1.2rem 0 .4rem}
p{margin:.4rem 0 .8rem;max-width:75ch}
ul{margin:.3rem 0 .8rem;padding-left:1.2rem}
.small,small{font-size:.86rem;color:var(--soft)}
small{display:block;font-weight:400}
.note{color:var(--soft);border-left:3px solid var(--line);padding-left:.7rem}
.warning{border:1px solid #b98a00;border-left-width:6px;background:#fff8e1;padding:.7rem 1rem;margin:0 0 1rem;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,160px),1fr));gap:.8rem;margin:0}
.card{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem}
.card dt{font-size:.86rem;color:var(--soft)}
.card dd{margin:0}
.card strong{display:block;font-size:1.35rem;line-height:1.3}
.card span{font-size:.86rem;color:var(--soft)}
.charts{display:grid;grid-template-columns:1fr;gap:1.2rem}
@media(min-width:640px){.charts{grid-template-columns:1fr 1fr}}
@media(min-width:1300px){.charts{grid-template-columns:repeat(4,1fr)}}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:1rem 2.5rem;align-items:start}
.columns>div{min-width:0}
figure{margin:0}
figcaption{font-weight:600;margin-bottom:.3rem}
svg{display:block;width:100%;height:auto;max-width:560px}
.histogram svg{max-width:660px}
svg.defs{position:absolute;width:0;height:0}
svg text{font-size:11px;fill:var(--ink)}
svg text.label{fill:var(--soft)}
svg .halo{paint-order:stroke;stroke:#fff;stroke-width:3px;font-weight:600}
.grid{stroke:#e4e8ec;stroke-width:1;fill:none}
.axis{stroke:#56616d;stroke-width:1;fill:none}
.chance{stroke:#8a949e;stroke-width:1;stroke-dasharray:2 4;fill:none}
.curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
.curve.c0{stroke:#0072b2}.curve.c1{stroke:#d55e00}.curve.c2{stroke:#009e73}.curve.c3{stroke:#b0578b}.curve.c4{stroke:#3a9bd9}.curve.c5{stroke:#c98a00}.curve.c6{stroke:#000}
.d1{stroke-dasharray:8 3}.d2{stroke-dasharray:2.5 2.5}.d3{stroke-dasharray:9 3 2 3}
.dot{stroke:#fff;stroke-width:1.5}
.dot.c0{fill:#0072b2}.dot.c1{fill:#d55e00}.dot.c2{fill:#009e73}.dot.c3{fill:#b0578b}.dot.c4{fill:#3a9bd9}.dot.c5{fill:#c98a00}.dot.c6{fill:#000}
.good{fill:#56a3d0;stroke:#0072b2;stroke-width:.7}
.defective{fill:url(#hatch);stroke:#b34700;stroke-width:.7}
.reject{stroke:#1b2530;stroke-width:1.8;fill:none}
.warn{stroke:#1b2530;stroke-width:1.4;stroke-dasharray:5 3;fill:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1rem;padding:0;margin:.2rem 0 0;font-size:.9rem}
.legend li{overflow-wrap:anywhere}
svg.sample{display:inline-block;width:26px;height:10px;margin-right:.4rem;vertical-align:middle}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:0 0 .8rem;font-size:.95rem}
caption{text-align:left;font-weight:600;padding-bottom:.3rem}
th,td{padding:.35rem .7rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
thead th{border-bottom:2px solid var(--ink);vertical-align:bottom}
tbody th,thead th:first-child{text-align:left;font-weight:600}
tbody th{overflow-wrap:break-word}th a{overflow-wrap:anywhere}
thead th{min-width:4rem}
td a{color:inherit;text-decoration:none}td a:hover,td a:focus{text-decoration:underline}.best a{text-decoration:inherit}
th a{color:inherit;text-decoration:none}th a:hover,th a:focus{text-decoration:underline}
.best{font-weight:700;text-decoration:underline;text-underline-offset:3px}
.wrong{color:var(--bad);font-weight:600}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:1rem}
.pair{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.6rem;break-inside:avoid}
.pair div{display:grid;grid-template-columns:1fr 1fr;gap:.4rem}
.pair img{width:100%;height:100%;max-height:340px;object-fit:contain;background:#e9edf0}
.pair figcaption{font-weight:400;font-size:.9rem;margin:.4rem 0 0;overflow-wrap:anywhere}
.badge{display:inline-block;padding:0 .45rem;border-radius:3px;font-size:.8rem;font-weight:700;border:1px solid}
.badge.REJECT{background:#b34700;border-color:#b34700;color:#fff}
.badge.WARN{background:#ffe9a8;border-color:#8a6a00;color:#4a3900}
.badge.PASS{background:#fff;border-color:#1b5e3f;color:#1b5e3f}
.scale{display:flex;align-items:center;gap:.5rem;max-width:420px;font-size:.86rem}
.scale i{flex:1;height:12px;border-radius:2px}
.facts{margin:0;display:grid;gap:.15rem}
.facts div{display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;gap:.2rem 1rem;padding:.25rem 0;border-bottom:1px solid #eceff2}
.facts dt{font-weight:600}
.facts dd{margin:0;overflow-wrap:anywhere;max-width:80ch}
@media(max-width:520px){.facts div{grid-template-columns:1fr}.pair div{gap:.3rem}table{font-size:.85rem}th,td{padding:.3rem .35rem}thead th{min-width:0}small{font-size:.78rem}}
footer{margin-top:2.5rem;font-size:.86rem;color:var(--soft)}
@media print{body{font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}
.charts,.gallery{grid-template-columns:1fr 1fr}.cards{grid-template-columns:repeat(3,1fr)}.pair img{max-height:6.5cm}
.card,figure,tr{break-inside:avoid}h3+p{break-after:avoid}h2,h3{break-after:avoid}.wide{overflow:visible}}
)css";

}  // namespace uad::report
