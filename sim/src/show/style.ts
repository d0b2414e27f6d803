/** How the page looks, by day, by night and on paper. Palette: Okabe and Ito 2008. */

const looks = `
.up{fill:var(--up)}
.side0{fill:var(--pale)}
.side1{fill:url(#p-side1)} #p-side1 .ground{fill:var(--orange)}
.side2{fill:url(#p-side2)} #p-side2 .ground{fill:var(--green)}
.side3{fill:url(#p-side3)} #p-side3 .ground{fill:var(--purple)}
.side-more{fill:url(#p-side-more)} #p-side-more .ground{fill:var(--grey)}
.alone{fill:url(#p-alone)} #p-alone .ground{fill:var(--yellow)}
.boxes .side1{fill:var(--orange)} .boxes .side2{fill:var(--green)} .boxes .side3{fill:var(--purple)}
.boxes .side-more{fill:var(--grey)} .boxes .alone{fill:var(--yellow)}
.limited{fill:url(#p-limited)} #p-limited .ground{fill:var(--up)}
.crashed,.down{fill:var(--crash)}
.stopped{fill:url(#p-stopped)} #p-stopped .ground{fill:var(--grey)}
.paused{fill:url(#p-paused)} #p-paused .ground{fill:var(--paper)}
#p-paused .hatch,#p-limited .hatch{stroke:var(--muted)}
.paused,.limited{stroke:var(--muted);stroke-width:.6}
.lost{fill:url(#p-lost)} #p-lost .ground{fill:var(--vermillion)}
.slow{fill:url(#p-slow)} #p-slow .ground{fill:var(--yellow)}
.full{fill:var(--vermillion)}
.failing{fill:url(#p-failing)} #p-failing .ground{fill:var(--vermillion)}
.trouble{fill:url(#p-trouble)} #p-trouble .ground{fill:var(--purple)}
.clock{fill:var(--green)}
.cut{fill:var(--vermillion)}
.there{fill:url(#p-there)} #p-there .ground{fill:var(--yellow)}
.behind{fill:var(--blue)}
.made{fill:var(--grey)}
.writes{fill:var(--green)}
.acks{fill:var(--orange)}
.pending{fill:var(--purple)}
.connected{fill:var(--up2)}
.home{fill:var(--up2);stroke:var(--paper);stroke-width:1}
.fault{fill:var(--purple)}
.fault.twice{fill:url(#p-fault2)} #p-fault2 .ground{fill:var(--purple)}
.instant{fill:var(--ink)}
.hatch{stroke:var(--hatch);stroke-width:1;fill:none}
.dots{fill:var(--hatch)}
`

const night = `
--paper:#14171b;--ink:#eceef0;--muted:#a9b0b8;--rule:#2c3138;--grid:#262b31;--up:#333a42;
--up2:#47515b;--pale:#24587a;--grey:#7d868f;--crash:#f2f2f2;--onCrash:#111;--blue:#56b4e9;
--hatch:rgba(0,0,0,.62);--card:#1b2026;--yellow:#d8cc36;--tint:rgba(255,255,255,.035);
`

const day = `
--paper:#fff;--ink:#16191d;--muted:#555c63;--rule:#e3e6e9;--grid:#eef0f2;--up:#e3e7ea;
--up2:#cdd4da;--pale:#b5dcf3;--grey:#8b949c;--crash:#16191d;--onCrash:#fff;--blue:#0072b2;
--orange:#e69f00;--green:#009e73;--yellow:#f0e442;--vermillion:#d55e00;--purple:#cc79a7;
--hatch:rgba(0,0,0,.5);--card:#f6f8f9;--tint:rgba(0,0,0,.025);
`

const page = `
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1480px;margin:0 auto;padding:20px 24px 72px}
h1{font-size:27px;line-height:1.2;margin:0}
h2{font-size:15px;margin:0}
p{margin:4px 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px}
.verdict{display:flex;gap:14px;align-items:flex-start}
.mark{width:46px;height:46px;flex:none}
.mark path{fill:none;stroke:#fff;stroke-width:4.5;stroke-linecap:round}
.kept .mark circle{fill:var(--green)}
.mark .sign{fill:var(--vermillion);stroke:none}
.failure{border-left:5px solid var(--vermillion);background:var(--card);padding:6px 12px;
margin:10px 0;overflow-wrap:anywhere}
.failure pre{overflow:auto;max-height:220px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(112px,1fr));gap:8px;
margin:12px 0 8px}
.figures div{background:var(--card);border-radius:6px;padding:6px 10px}
dt{font-size:12px;color:var(--muted)}
dd{margin:0;font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}
.replay{overflow-wrap:anywhere;font-size:13px;color:var(--muted)}
.replay code{color:var(--ink);user-select:all}
.guide{margin:10px 0 0;padding-left:20px;font-size:13px;color:var(--muted)}
.guide b{color:var(--ink)}
.note{font-size:12.5px;color:var(--muted);overflow-wrap:anywhere}
#charts{position:relative;outline-offset:6px}
.chart{margin-top:18px;break-inside:avoid}
.chart svg{display:block;width:100%;height:auto}
.head{display:flex;flex-wrap:wrap;gap:4px 22px;align-items:baseline;margin-bottom:2px}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;list-style:none;margin:0;padding:0;
font-size:12px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:5px}
.chart .swatch{width:26px;height:13px;flex:none}
.swatch text{font:700 9px system-ui,sans-serif;text-anchor:middle;fill:#111;
paint-order:stroke;stroke:rgba(255,255,255,.75);stroke-width:2px}
svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.name{font-size:12.5px;text-anchor:end;fill:var(--ink);font-weight:600}
.hint{font-size:10.5px;text-anchor:end;fill:var(--muted)}
.tick{font-size:10.5px;text-anchor:middle;fill:var(--muted)}
.grid{stroke:var(--grid)}
.rule{stroke:var(--rule)}
.in{font-size:10px;font-weight:600;text-anchor:middle;fill:#111;paint-order:stroke;
stroke:rgba(255,255,255,.8);stroke-width:2.4px;pointer-events:none}
.crashed + .in{fill:var(--onCrash);stroke:none}
.tint{fill:var(--tint)} .tint.safety{fill:none}
.phase{fill:var(--up)} .phase.core{fill:var(--yellow)} .phase.whole{fill:var(--green)}
.phased{font-size:10px;text-anchor:middle;fill:var(--muted)}
.phased.core{fill:#111;font-weight:600} .phased.whole{fill:#fff;font-weight:600}
.stated{fill:var(--ink)}
.number{fill:var(--ink)}
.numbered{font-size:10px;font-weight:700;text-anchor:middle;fill:var(--paper)}
.start{fill:var(--green);stroke:var(--paper);stroke-width:.8}
.flag{fill:var(--vermillion);stroke:var(--paper);stroke-width:.8}
.watch{fill:var(--paper);stroke:var(--ink);stroke-width:1.1}
.swatch .started,.swatch .flagged,.swatch .watched{fill:none}
.swatch .started + text{fill:var(--green);stroke:none;font-size:15px}
.swatch .flagged + text{fill:var(--vermillion);stroke:none;font-size:12px}
.swatch .watched + text{fill:var(--paper);stroke:var(--ink);stroke-width:1;font-size:12px}
.flagged{font-size:9.5px;fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:2.5px}
.violation{stroke:var(--vermillion);stroke-width:2.5}
.violated{stroke:var(--vermillion);stroke-width:3.5;fill:none}
.reached{fill:var(--green)}
.equal{stroke:var(--green);stroke-width:1.6;stroke-dasharray:5 3}
.states{display:grid;grid-template-columns:repeat(8,1fr);gap:6px}
figure{margin:0;min-width:0}
figcaption{font-size:11.5px;color:var(--muted);text-align:center}
figcaption b{display:inline-block;min-width:17px;line-height:17px;border-radius:9px;
background:var(--ink);color:var(--paper)}
.path{stroke:var(--muted);stroke-width:1.6}
.one-way{stroke-dasharray:4 3;stroke:var(--vermillion);stroke-width:2}
.tip{fill:var(--vermillion)}
.cross{stroke:var(--vermillion);stroke-width:2.5;fill:none}
.dot{font-size:11px;font-weight:700;text-anchor:middle;fill:var(--ink);paint-order:stroke;
stroke:var(--paper);stroke-width:2.5px}
.down ~ .dot,.down + .dot{fill:var(--onCrash);stroke:none}
.sideways{font-size:9.5px}
.box{fill:none;stroke:var(--muted)}
.boxed{font-size:12px;font-weight:700;text-anchor:middle;fill:var(--ink)}
.choice{cursor:pointer}
.choice:focus-visible{outline:2px solid var(--blue)}
.choice[aria-pressed=true] .name{text-decoration:underline;fill:var(--vermillion)}
#cursor{position:absolute;top:0;bottom:0;width:0;border-left:1.5px solid var(--ink);
pointer-events:none}
.shown{position:absolute;top:0;bottom:0;background:var(--purple);opacity:.22;min-width:2px;
pointer-events:none}
#readout{position:fixed;left:0;right:0;bottom:0;max-height:34vh;overflow:auto;
background:var(--card);border-top:1px solid var(--rule);padding:7px 24px;font-size:13px}
#readout b{font-weight:600}
#readout span{display:inline-block;margin-right:16px}
[hidden]{display:none}
.patterns{position:absolute;width:0;height:0}
.list,.events{margin-top:26px}
table{border-collapse:collapse;width:100%;font-size:13px;margin-top:6px}
th,td{text-align:left;padding:3px 12px 3px 0;border-bottom:1px solid var(--rule);
vertical-align:top;overflow-wrap:break-word}
thead th{color:var(--muted);font-weight:500;white-space:nowrap}
.count{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.kind{color:var(--muted)}
.is-broken{font-weight:700;color:var(--vermillion)}
.events pre{background:var(--card);padding:10px 14px;overflow:auto;margin:6px 0}
.events:has(:checked) .traffic{display:none}
.traffic{color:var(--muted)}
.filter{font-size:13px;color:var(--muted)}
@media (max-width:900px){.states{grid-template-columns:repeat(4,1fr)}main{padding:12px}}
@page{size:A4 landscape;margin:10mm}
@media print{
main{max-width:none;padding:0}body{font-size:12px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
#readout,#cursor,.filter{display:none}.failure pre{max-height:none}
}
`

const nightly = `@media screen and (prefers-color-scheme:dark){:root{${night}}}`

export const style = [`:root{${day}}`, nightly, page, looks].join("")
