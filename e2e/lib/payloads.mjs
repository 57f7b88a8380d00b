// What somebody may type who wants it to run on another's screen: every way in, crossed with every way to hide it.

// Each calls gageRan, which only the tests know, or leaves a mark in the page that none of ours has.
const vectors = [
  "<script>gageRan()</script>",
  "<script src=//127.0.0.1:9/x></script>",
  "<img src=x onerror=gageRan()>",
  "<svg onload=gageRan()>",
  "<svg><animate onbegin=gageRan() attributeName=x dur=1s>",
  "<svg><script>gageRan()</script></svg>",
  "<math><mi xlink:href=javascript:gageRan()>x",
  "<iframe srcdoc='<script>parent.gageRan()</script>'>",
  "<iframe src=javascript:parent.gageRan()>",
  "<a href=javascript:gageRan()>x</a>",
  "<form action=javascript:gageRan()><button>x",
  "<button formaction=javascript:gageRan()>x",
  "<input autofocus onfocus=gageRan()>",
  "<details open ontoggle=gageRan()>",
  "<video src=x onerror=gageRan()>",
  "<body onload=gageRan()>",
  "<meta http-equiv=refresh content='0;url=javascript:gageRan()'>",
  "<base href=//127.0.0.1:9/>",
  "<link rel=stylesheet href=//127.0.0.1:9/x>",
  "<style>@import '//127.0.0.1:9/x'</style>",
  "<object data=javascript:gageRan()>",
  "<embed src=javascript:gageRan()>",
  "<xss>mark</xss>",
  "javascript:gageRan()",
  "{{constructor.constructor('gageRan()')()}}",
  "${gageRan()}",
];

// What may close the place that the text stands in.
const ends = ["", '">', "'>", "`>", "</p>", "</title>", "</textarea>", "</style>", "</script>", "-->", "]]>", "</noscript>", '" onmouseover=gageRan() x="'];

// What a filter may not see through.
const veils = [
  (s) => s,
  (s) => s.toUpperCase().replaceAll("GAGERAN", "gageRan"),
  (s) => s.replaceAll("<", "<\n"),
  (s) => s.replaceAll(" ", "/"),
  (s) => s.replaceAll(" ", "\t"),
  (s) => s.replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  (s) => s.replaceAll("<", "&#60;"),
  (s) => s.replaceAll("<", "%3C").replaceAll(">", "%3E"),
  (s) => s.replaceAll("<", "\\u003c"),
  (s) => s.replaceAll("<", "＜").replaceAll(">", "＞"),
  (s) => "\u2028" + s,
  (s) => "\ufeff" + s,
];

// payloads lists n of them, others for another seed; each stands once.
export function payloads(n, seed = 0) {
  const all = [...new Set(veils.flatMap((veil) => ends.flatMap((end) => vectors.map((v) => end + veil(v)))))];
  const step = 7919; // a prime, and so every one comes before the first comes again
  if (n > all.length) throw new Error(`there are only ${all.length} payloads`);
  return Array.from({ length: n }, (_, i) => all[((seed % all.length) + i * step) % all.length]);
}
