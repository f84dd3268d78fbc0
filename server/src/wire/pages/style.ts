/** The look of every page: the system's own letters, one colour, light or dark as the reader has it. */
export const style = `
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#1b1f26;--soft:#5b6472;--line:#dfe3e9;--accent:#2457d6;--on-accent:#fff;--bad:#b3261e;--good:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--ground:#12151a;--card:#1b2027;--ink:#e9ecf1;--soft:#a2acba;--line:#313945;--accent:#8fb0ff;--on-accent:#0d1a3a;--bad:#ff9d94;--good:#7fd6a2}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:break-word}
main{max-width:29rem;margin:0 auto;padding:clamp(1rem,7vh,5rem) 1rem 3rem}
main.wide{max-width:46rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.6rem}
.mark{display:flex;align-items:center;gap:.5rem;color:var(--soft);font-size:.9rem;margin:0 0 1rem .2rem}
.mark svg{width:1.25rem;height:1.25rem;flex:none;color:var(--accent)}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .75rem;font-weight:650;text-wrap:balance}
h2{font-size:1.05rem;margin:1.9rem 0 .6rem;font-weight:650}
p{margin:0 0 .9rem}
.soft{color:var(--soft);font-size:.92rem}
.bad{color:var(--bad)}
a{color:var(--accent)}
dl{margin:1.1rem 0;border-top:1px solid var(--line)}
dl>div{display:grid;grid-template-columns:8.5rem 1fr;gap:.2rem 1rem;padding:.6rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--soft);font-size:.92rem}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
dd small,li small{display:block;color:var(--soft);font-size:.86rem}
ul{margin:.4rem 0 1.1rem;padding-left:1.2rem}
li{margin:.25rem 0}
ul.rows{list-style:none;padding:0;border-top:1px solid var(--line)}
ul.rows li>span{min-width:0;overflow-wrap:anywhere}
ul.rows li{display:flex;gap:1rem;align-items:center;justify-content:space-between;padding:.7rem 0;margin:0;border-bottom:1px solid var(--line)}
ul.scopes{margin:0;padding:0;list-style:none}
ul.scopes li{margin:0 0 .35rem}
ul.rows form{display:flex;gap:.5rem;align-items:center;flex:none}
select{width:auto;max-width:12rem;padding:.3rem .5rem;min-height:2.2rem}
h2.place{font-size:1.2rem;border-top:1px solid var(--line);padding-top:1.6rem}
h3{font-size:1.02rem;margin:0 0 .3rem;font-weight:650}
.account{border:1px solid var(--line);border-radius:12px;padding:1rem 1.1rem;margin:0 0 1rem}
.account dl{margin:.6rem 0}
.account .actions{margin:.9rem 0}
.account details,.account details:last-of-type{border-bottom:0}
.account p{margin:0 0 .5rem}
.state{font-size:.8rem;font-weight:600;border:1px solid currentColor;border-radius:99px;padding:.05rem .6rem;margin-left:.3rem;white-space:nowrap}
.good{color:var(--good)}
.notice{border:1px solid currentColor;border-radius:9px;padding:.6rem .8rem}
.help{margin:.3rem 0 0}
.actions{display:flex;flex-wrap:wrap;gap:.7rem;margin-top:1.3rem}
.actions form{display:contents}
.button,button{font:inherit;font-weight:600;border:1px solid var(--accent);border-radius:9px;padding:.6rem 1.1rem;min-height:2.75rem;background:var(--accent);color:var(--on-accent);text-decoration:none;text-align:center;cursor:pointer;flex:1 1 8rem;display:inline-block}
.button.quiet,button.quiet{background:none;color:var(--ink);border-color:var(--soft)}
.stacked .button,.stacked button{flex-basis:100%}
li button,.row button,button.copy{flex:none;min-height:2.2rem;padding:.3rem .8rem;font-size:.9rem;font-weight:500;white-space:nowrap}
.button:hover,button:hover{filter:brightness(1.06)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button:focus-visible,.button:focus-visible{outline-color:var(--ink)}
label{display:block;font-weight:600;margin:1rem 0 .35rem}
input[type=text],input[type=email],input[type=password],select{width:100%;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--soft);border-radius:9px;padding:.6rem .75rem}
code,pre,.code{font:.88rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--ground);border:1px solid var(--line);border-radius:9px;padding:.75rem .85rem;margin:.4rem 0 .8rem;white-space:pre-wrap;user-select:all}
.copyable{position:relative}
.copyable:has(button) pre{padding-right:5.2rem}
.copyable button{position:absolute;top:.4rem;right:.4rem;background:var(--card);color:var(--ink);border-color:var(--line)}
.code.big{font-size:1.7rem;letter-spacing:.12em;text-align:center;margin:1rem 0}
details{border-top:1px solid var(--line)}
details:last-of-type{border-bottom:1px solid var(--line)}
summary{cursor:pointer;padding:.7rem 0;font-weight:600}
details>:last-child{margin-bottom:1rem}
@media(max-width:26rem){dl>div{grid-template-columns:1fr}.card{padding:1.2rem}.actions>*,.actions .button{flex-basis:100%}ul.rows li{align-items:flex-start}ul.rows li:has(select){flex-wrap:wrap}}
input+p{margin-top:.6rem}
.actions+.soft{margin-top:1rem}
.card>:last-child{margin-bottom:0}
`.trim();
