// The loopback Slack's page: it draws what the feed says and posts what a person does. The server is the only truth.
// Text from outside becomes text nodes and nothing else; links pass `safeUrl`; no markup is ever parsed by the browser.

/* ── Words for people ─────────────────────────────────────────────────────────────────────────────────────────── */

const WORDS = {
  notInThread: (name) => `${name} is not supported in threads. Sorry! Type it in the channel, or mention the app here.`,
  unknownCommand: (name) => `${name} is not a valid command here. The only one installed is ${world.command.name}.`,
  noAnswer: "The playground does not answer. Is it still running?",
  offline: "Connection to the playground lost. Trying again…",
  connected: "App connected",
  disconnected: "App not connected",
  onlyYou: "Only visible to you",
  required: "Please fill in this field.",
  tooShort: (n) => `At least ${n} characters, please.`,
  tooLong: (n) => `At most ${n} characters, please.`,
  notNumber: "Please type a number.",
  atLeast: (n) => `Must be ${n} or more.`,
  atMost: (n) => `Must be ${n} or less.`,
  fixFields: "Some fields need another look.",
  unsupported: (what) => `Unsupported block: ${what}`,
  notMember: (who) => `${who} is not a member of this channel: they can read, and the app decides what they may do.`,
  emptyChannel: "Nothing here yet",
  firstSteps: (name) => `Type ${name} and say what hurts, or mention the app. Choose under “Acting as” whose hands you use.`,
  firstCommand: (name) => `${name} investigate …`,
  emptyThread: "No replies yet",
  emptyHome: "The app has not published its Home for this person yet.",
  newMessages: "New messages",
  earlier: "Show earlier messages",
};

// Shortcuts are declared in the app's manifest, which the feed does not carry.
const SHORTCUTS = {
  message: { name: "Investigate this alert", callback_id: "investigate_alert" },
  global: { name: "Start an investigation", callback_id: "start_investigation" },
};
const QUICK_REACTIONS = ["eyes", "+1", "white_check_mark", "x"];
const PAGE_OF_MESSAGES = 100;
const MAX_NESTING = 6;

/* ── Small DOM builders ───────────────────────────────────────────────────────────────────────────────────────── */

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

/** An element. `on…` are listeners, `data` a map, `style` goes through the CSSOM (the policy forbids style attributes). */
function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "style") for (const [name, v] of Object.entries(value)) element.style.setProperty(name, v);
    else if (key === "value" || key === "checked" || key === "selected" || key === "disabled") element[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  put(element, children);
  return element;
}

function put(element, children) {
  for (const child of [children].flat(9)) {
    if (child !== null && child !== undefined && child !== false && child !== "") element.append(child);
  }
  return element;
}

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  return put(element, children);
}

/** Only these three schemes ever become a link; everything else stays text. */
function safeUrl(raw) {
  try {
    const url = new URL(String(raw), location.origin);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function link(raw, ...children) {
  const url = safeUrl(raw);
  const label = children.flat().length ? children : [String(raw)];
  if (!url) return h("span", { class: "dead-link", title: "Not a web address: shown as text" }, label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url, onclick: followInside }, label);
}

/** Permalinks and canvas links open in the page instead of a new tab. */
function followInside(event) {
  const { pathname, searchParams } = new URL(event.currentTarget.href);
  const archive = pathname.match(/\/archives\/([A-Z0-9]+)(?:\/p(\d+)(\d{6}))?/);
  if (archive && world.channels.has(archive[1])) {
    event.preventDefault();
    const ts = archive[2] ? `${archive[2]}.${archive[3]}` : null;
    const root = searchParams.get("thread_ts") ?? world.message(archive[1], ts)?.thread_ts ?? ts;
    goTo(archive[1], root);
    if (ts) requestAnimationFrame(() => threadList.reveal(ts) || channelList.reveal(ts));
    return;
  }
  const canvas = pathname.split("/").find((part) => world.canvases.has(part));
  if (canvas) {
    event.preventDefault();
    openCanvas(canvas);
  }
}

const STROKES = {
  menu: "M3 5h14M3 10h14M3 15h14", back: "M12 4l-6 6 6 6", close: "M5 5l10 10M15 5L5 15", hash: "M8 3L6 17M14 3l-2 14M3.5 7.5h13M3 12.5h13",
  send: "M3 10l14-6-5 13-3-5z M9 12l8-8", home: "M3 9l7-6 7 6v8h-5v-5H8v5H3z", canvas: "M5 2.5h7l3.5 3.5v11.5H5z M12 2.5V6h3.5 M7.5 10h5M7.5 13h5",
  reply: "M4 4h12v9H9l-4 4v-4H4z", bolt: "M11 2L4 11h5l-1 7 8-10h-5z", download: "M10 3v9M6 9l4 4 4-4M4 16.5h12", trash: "M4 5.5h12M8 5V3.5h4V5M5.5 5.5l1 11.5h7l1-11.5",
  chevron: "M7 5l5 5-5 5", down: "M10 4v12M5 11l5 5 5-5", smile: "M10 2.5a7.5 7.5 0 1 0 .01 0M7 8v.5M13 8v.5M6.5 12c1.5 2.5 5.5 2.5 7 0",
  sun: "M10 6.5a3.5 3.5 0 1 0 .01 0M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4",
  moon: "M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z", up: "M7 9l3-6c1.5 0 2 1 1.5 4H16l-1.5 9H7zM3.5 9H7v7H3.5z", thumbdown: "M7 11l3 6c1.5 0 2-1 1.5-4H16L14.5 4H7zM3.5 4H7v7H3.5z",
  message: "M3 4h14v10H9l-4 3v-3H3z", at: "M13 10a3 3 0 1 0-3 3c2 0 3-1 3-3zv1c0 3 4 2.5 4-1a7 7 0 1 0-3 5.7", check: "M4 10.5l4 4 8-9", dots: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  slash: "M13 3L7 17", eye: "M2 10c3-5.5 13-5.5 16 0-3 5.5-13 5.5-16 0zM10 8a2 2 0 1 0 .01 0",
};

function icon(name) {
  return s("svg", { viewBox: "0 0 20 20", class: `icon icon-${name}`, "aria-hidden": "true" }, s("path", { d: STROKES[name] }));
}

/* ── Emoji: the ones this app lives on are drawn, so that they look alike on machines without an emoji font ───── */

const disc = (fill) => [["circle", { cx: 10, cy: 10, r: 7.5, fill }]];
const stroked = (d, stroke, width = 2) => ["path", { d, stroke, fill: "none", "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const filled = (d, fill) => ["path", { d, fill }];
const tile = (fill, d) => [["rect", { x: 2, y: 2, width: 16, height: 16, rx: 4, fill }], stroked(d, "#fff", 2.2)];
const sheet = (lines, colour = "#4a7fb5") => [filled("M4.5 2h8l3.5 3.5V18h-11.5z", "#e8edf2"), stroked("M4.5 2h8l3.5 3.5V18h-11.5z", "#8fa0af", 1.2), stroked(lines, colour, 1.6)];

const DRAWN = {
  mag: [["circle", { cx: 8.5, cy: 8.5, r: 5, fill: "#cfe6f5", stroke: "#567a94", "stroke-width": 2 }], stroked("M12.5 12.5L17 17", "#567a94", 3)],
  bulb: [filled("M10 1.8a5.7 5.7 0 0 0-3 10.5V14h6v-1.7a5.7 5.7 0 0 0-3-10.5z", "#f5bf3c"), filled("M7.3 15h5.4v1.3H7.3zM8.3 17h3.4v1.4H8.3z", "#8a96a3")],
  white_check_mark: tile("#2f9e6e", "M6 10.3l2.8 2.8L14 7.2"),
  heavy_check_mark: [stroked("M4 10.5l4 4 8-9", "#2f9e6e", 3)],
  x: [stroked("M5 5l10 10M15 5L5 15", "#d9484e", 3.2)],
  hourglass_flowing_sand: [filled("M6 4h8c0 4-3 4.5-3 6s3 2 3 6H6c0-4 3-4.5 3-6S6 8 6 4z", "#e9bd62"), stroked("M5 2.8h10M5 17.2h10", "#8a6a3a", 2)],
  rotating_light: [filled("M5 14V9.5a5 5 0 0 1 10 0V14z", "#e5484d"), filled("M3.5 14.5h13V18h-13z", "#75818d"), stroked("M10 1v1.4M3.2 4l1 1M16.8 4l-1 1", "#e5484d", 1.6)],
  lock: [stroked("M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9", "#8a96a3", 2), ["rect", { x: 4, y: 8.5, width: 12, height: 9, rx: 2, fill: "#dfa62c" }]],
  unlock: [stroked("M6.5 9V6a3.5 3.5 0 0 1 6.8-1", "#8a96a3", 2), ["rect", { x: 4, y: 8.5, width: 12, height: 9, rx: 2, fill: "#dfa62c" }]],
  warning: [filled("M10 2l8.5 15.5h-17z", "#f3b12d"), stroked("M10 8v4.2M10 14.8v.1", "#3d2f0c", 2)],
  bar_chart: [["rect", { x: 3, y: 10, width: 4, height: 7, rx: 1, fill: "#3a8fd0" }], ["rect", { x: 8, y: 4, width: 4, height: 13, rx: 1, fill: "#2f9e6e" }], ["rect", { x: 13, y: 7, width: 4, height: 10, rx: 1, fill: "#e08a3c" }]],
  chart_with_upwards_trend: [stroked("M3 3v14h14", "#8a96a3", 1.6), stroked("M5 13l4-4 3 2 5-6", "#d9484e", 2.2)],
  chart_with_downwards_trend: [stroked("M3 3v14h14", "#8a96a3", 1.6), stroked("M5 6l4 4 3-2 5 6", "#3a8fd0", 2.2)],
  eyes: [["ellipse", { cx: 6, cy: 10, rx: 3.7, ry: 5.5, fill: "#fff", stroke: "#8a96a3" }], ["ellipse", { cx: 14, cy: 10, rx: 3.7, ry: 5.5, fill: "#fff", stroke: "#8a96a3" }], ["circle", { cx: 4.8, cy: 11, r: 2, fill: "#2b333b" }], ["circle", { cx: 12.8, cy: 11, r: 2, fill: "#2b333b" }]],
  red_circle: disc("#dd4b50"), large_red_circle: disc("#dd4b50"), large_green_circle: disc("#2f9e6e"), large_yellow_circle: disc("#edb935"), large_orange_circle: disc("#e5863a"),
  large_blue_circle: disc("#3a8fd0"), large_purple_circle: disc("#8d62c9"), black_circle: disc("#3b444d"),
  white_circle: [["circle", { cx: 10, cy: 10, r: 7, fill: "#f2f4f6", stroke: "#9aa6b1", "stroke-width": 1.4 }]],
  wrench: [stroked("M4.5 15.5L11 9", "#75818d", 3.4), filled("M17.5 6a4.5 4.5 0 1 1-3.5-3.5l-2.3 2.3 1.3 2.2 2.2 1.3z", "#75818d")],
  gear: [["circle", { cx: 10, cy: 10, r: 5, fill: "none", stroke: "#75818d", "stroke-width": 3 }], ["circle", { cx: 10, cy: 10, r: 7.4, fill: "none", stroke: "#75818d", "stroke-width": 2.2, "stroke-dasharray": "2.9 2.9" }]],
  rocket: [filled("M10 1.5c3 2.5 4 6 3.5 10.5h-7C6 7.5 7 4 10 1.5z", "#c9d3dc"), filled("M6.5 9L4 14l3-1zM13.5 9l2.5 5-3-1z", "#dd4b50"), filled("M8.3 12.5h3.4L10 18.5z", "#f3b12d"), ["circle", { cx: 10, cy: 7, r: 1.6, fill: "#3a8fd0" }]],
  fire: [filled("M10.5 1.5c1 3.5 5 5 5 10a5.5 5.5 0 0 1-11 0c0-2.5 1.3-3.7 2-5.5.9.7 1.3 1.4 1.5 2.5 1.7-1.6 2.5-4 2.5-7z", "#ea6a2e"), filled("M10 10c2 2 2.5 3.2 2.5 4.5a2.5 2.5 0 0 1-5 0C7.5 13 9 12 10 10z", "#f8c64a")],
  memo: sheet("M7 9h5M7 12h4M10 16l6-6"), page_facing_up: sheet("M7 8h5.5M7 11h5.5M7 14h4"), clipboard: sheet("M7 8h5.5M7 11h5.5M7 14h5.5", "#a5734a"), scroll: sheet("M7 7h5.5M7 10h5.5M7 13h5.5", "#b08a3c"),
  calendar: [...sheet("M7 11h1M10 11h1M13 11h.5M7 14h1M10 14h1"), filled("M4.5 4h11.5v3.5H4.5z", "#d9484e")],
  books: [["rect", { x: 3, y: 3, width: 4, height: 14, rx: 1, fill: "#d9484e" }], ["rect", { x: 7.5, y: 3, width: 4, height: 14, rx: 1, fill: "#3a8fd0" }], ["rect", { x: 12.5, y: 3.5, width: 4, height: 14, rx: 1, fill: "#2f9e6e" }]],
  book: [filled("M4 3h11a1.5 1.5 0 0 1 1.5 1.5V17H5.5A1.5 1.5 0 0 1 4 15.5z", "#3a8fd0"), stroked("M5.5 14.5h11", "#fff", 1.4)],
  zap: [filled("M11.5 1.5L4 11.5h5L7.5 18.5 16 8h-5.5z", "#f3b12d")],
  link: [stroked("M8.5 11.5a3 3 0 0 1 0-4l2.5-2.5a3 3 0 0 1 4.2 4.2L14 10.5M11.5 8.5a3 3 0 0 1 0 4L9 15a3 3 0 0 1-4.2-4.2L6 9.5", "#75818d", 1.9)],
  "+1": [filled("M7 9l3-7c1.8 0 2.5 1.5 2 5H16c1 0 1.5 1 1.2 2l-1.5 6c-.3 1-.8 1.5-1.7 1.5H7zM3 9h3v7.5H3z", "#edb935")],
  "-1": [filled("M7 11l3 7c1.8 0 2.5-1.5 2-5H16c1 0 1.5-1 1.2-2l-1.5-6C15.4 4 14.9 3.5 14 3.5H7zM3 3.5h3V11H3z", "#edb935")],
  question: [stroked("M6.5 7a3.5 3.5 0 1 1 5 3.2c-1.2.6-1.5 1.2-1.5 2.3M10 16.3v.1", "#d9484e", 2.6)],
  grey_question: [stroked("M6.5 7a3.5 3.5 0 1 1 5 3.2c-1.2.6-1.5 1.2-1.5 2.3M10 16.3v.1", "#8a96a3", 2.6)],
  exclamation: [stroked("M10 3v8.5M10 16.2v.1", "#d9484e", 3)],
  information_source: tile("#3a8fd0", "M10 9.5v5M10 5.8v.1"),
  no_entry: [["circle", { cx: 10, cy: 10, r: 8, fill: "#d9484e" }], ["rect", { x: 5, y: 8.5, width: 10, height: 3, rx: 1, fill: "#fff" }]],
  no_entry_sign: [["circle", { cx: 10, cy: 10, r: 6.8, fill: "none", stroke: "#d9484e", "stroke-width": 2.4 }], stroked("M5.4 5.4l9.2 9.2", "#d9484e", 2.4)],
  octagonal_sign: [filled("M6.5 2h7L18 6.5v7L13.5 18h-7L2 13.5v-7z", "#d9484e"), stroked("M6.5 10h7", "#fff", 2.2)],
  arrows_counterclockwise: tile("#3a8fd0", "M13.8 8.5A4.3 4.3 0 0 0 6 7.7M6.2 11.5a4.3 4.3 0 0 0 7.8.8M6 5v2.7h2.7M14 15v-2.7h-2.7"),
  leftwards_arrow_with_hook: tile("#3a8fd0", "M8.5 6L5.5 9l3 3M5.5 9h6a2.6 2.6 0 0 1 0 5.2H9"),
  arrow_right: tile("#3a8fd0", "M5.5 10h9M11 6.5l3.5 3.5-3.5 3.5"), arrow_up: tile("#3a8fd0", "M10 14.5v-9M6.5 9L10 5.5 13.5 9"), arrow_down: tile("#3a8fd0", "M10 5.5v9M6.5 11l3.5 3.5 3.5-3.5"),
  pause_button: tile("#3a8fd0", "M8 6.5v7M12 6.5v7"),
  stopwatch: [["circle", { cx: 10, cy: 11, r: 6.5, fill: "#eef2f5", stroke: "#75818d", "stroke-width": 1.8 }], stroked("M10 11V7.5M10 2v2M8 2h4", "#75818d", 1.8)],
  clock3: [["circle", { cx: 10, cy: 10, r: 7.5, fill: "#eef2f5", stroke: "#75818d", "stroke-width": 1.8 }], stroked("M10 5.5V10h4", "#3b444d", 1.8)],
  robot_face: [["rect", { x: 3, y: 6, width: 14, height: 11, rx: 3, fill: "#9fb3c4" }], ["circle", { cx: 7.3, cy: 10.5, r: 1.5, fill: "#22303b" }], ["circle", { cx: 12.7, cy: 10.5, r: 1.5, fill: "#22303b" }], stroked("M7.5 14h5M10 6V3", "#22303b", 1.5)],
  bell: [filled("M10 2a5.5 5.5 0 0 1 5.5 5.5c0 4 1.5 5 1.5 6.5H3c0-1.5 1.5-2.5 1.5-6.5A5.5 5.5 0 0 1 10 2zM8 15h4a2 2 0 0 1-4 0z", "#e3a92f")],
  package: [filled("M10 2l7.5 3.5v9L10 18l-7.5-3.5v-9z", "#bb8a52"), stroked("M2.8 5.7L10 9l7.2-3.3M10 9v8.5", "#7d5a31", 1.3)],
  shield: [filled("M10 1.8l7 2.4v5.3c0 4.5-3 7.3-7 8.7-4-1.4-7-4.2-7-8.7V4.2z", "#4a7fb5")],
  speech_balloon: [filled("M3 4.5h14v9.5H9.5L5.5 17.5V14H3z", "#aebecb")],
  tada: [filled("M3 17.5L7.5 6 14 12.5z", "#edb935"), stroked("M11 6c0-2 1-3 2.5-3.5M13.5 9c1.5-1.5 3-1.5 4-1M12.5 7l4-4", "#8d62c9", 1.6)],
  thinking_face: [...disc("#edb935"), stroked("M7 8.5v.1M13 8v.1M7.5 13.5l4.5-1", "#4a3a10", 1.8)],
  label: [filled("M2.5 3h7l8 8-6.5 6.5-8.5-8z", "#d9a05b"), ["circle", { cx: 6, cy: 6.5, r: 1.4, fill: "#fff" }]],
  seedling: [stroked("M10 17.5V10", "#2f9e6e", 2), filled("M10 10C5.5 10.5 3 8.5 2.5 4 7 4 9.5 6 10 10zM10 10.5c.5-4 3-6 7.5-6-.5 4.5-3 6.5-7.5 6z", "#2f9e6e")],
};
const ALIASES = {
  thumbsup: "+1", thumbsdown: "-1", spiral_note_pad: "memo", notebook: "book", ledger: "book", open_book: "book", hammer_and_wrench: "wrench", tools: "wrench", hammer: "wrench", stop_sign: "octagonal_sign",
  repeat: "arrows_counterclockwise", rewind: "leftwards_arrow_with_hook", hourglass: "hourglass_flowing_sand", mag_right: "mag", heavy_multiplication_x: "x", no_good: "no_entry_sign", date: "calendar",
  ballot_box_with_check: "white_check_mark", large_red_square: "red_circle", alarm_clock: "stopwatch", clock1: "clock3", clock12: "clock3", bookmark_tabs: "page_facing_up", electric_plug: "zap", thinking: "thinking_face", sos: "rotating_light", bangbang: "exclamation",
};
const UNICODE = {
  mag: "🔍", bulb: "💡", white_check_mark: "✅", heavy_check_mark: "✔", x: "❌", hourglass_flowing_sand: "⏳", rotating_light: "🚨", lock: "🔒", unlock: "🔓", warning: "⚠", bar_chart: "📊",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", eyes: "👀", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", large_orange_circle: "🟠", large_blue_circle: "🔵", large_purple_circle: "🟣", white_circle: "⚪", black_circle: "⚫",
  wrench: "🔧", gear: "⚙", rocket: "🚀", fire: "🔥", memo: "📝", page_facing_up: "📄", clipboard: "📋", scroll: "📜", calendar: "📅", books: "📚", book: "📖", zap: "⚡", link: "🔗", "+1": "👍", "-1": "👎", question: "❓", grey_question: "❔", exclamation: "❗", information_source: "ℹ",
  no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", arrows_counterclockwise: "🔄", leftwards_arrow_with_hook: "↩", arrow_right: "➡", arrow_up: "⬆", arrow_down: "⬇", pause_button: "⏸", stopwatch: "⏱", clock3: "🕒", robot_face: "🤖", bell: "🔔", package: "📦", shield: "🛡", speech_balloon: "💬", tada: "🎉",
  thinking_face: "🤔", label: "🏷", seedling: "🌱", key: "🔑", satellite: "📡", microscope: "🔬", test_tube: "🧪", wave: "👋", pray: "🙏", clap: "👏", raised_hands: "🙌", ok_hand: "👌", muscle: "💪", heart: "❤", smile: "😄", slightly_smiling_face: "🙂", sweat_smile: "😅", cry: "😢", scream: "😱", boom: "💥", bug: "🐛",
  turtle: "🐢", snail: "🐌", construction: "🚧", ambulance: "🚑", firefighter: "🧑‍🚒", globe_with_meridians: "🌐", cloud: "☁", computer: "💻", floppy_disk: "💾", card_file_box: "🗃", pushpin: "📌", star: "⭐", sparkles: "✨", dart: "🎯", brain: "🧠", detective: "🕵", handshake: "🤝", point_right: "👉", white_large_square: "⬜", black_square_for_stop: "⏹", arrow_forward: "▶", fast_forward: "⏩",
};
const BY_CHARACTER = new Map(Object.entries(UNICODE).filter(([name]) => DRAWN[name]).map(([name, character]) => [character, name]));
const CHARACTER = new RegExp(`(${[...BY_CHARACTER.keys()].join("|")})\\uFE0F?`, "u");

/** The picture of a shortcode, or null for one this page does not know. */
function emoji(code) {
  const name = ALIASES[code] ?? code;
  if (Object.hasOwn(DRAWN, name)) {
    const picture = s("svg", { viewBox: "0 0 20 20", class: "emoji", role: "img", "aria-label": code.replaceAll("_", " ") }, s("title", {}, `:${code}:`));
    return put(picture, DRAWN[name].map(([tag, attributes]) => s(tag, attributes)));
  }
  return Object.hasOwn(UNICODE, name) ? h("span", { class: "emoji-text", title: `:${code}:` }, UNICODE[name]) : null;
}

/** Plain text as nodes: known emoji characters are drawn, newlines become breaks. */
function plain(text) {
  const nodes = [];
  String(text ?? "").split("\n").forEach((line, i) => {
    if (i) nodes.push(h("br"));
    line.split(CHARACTER).forEach((part, j) => part && nodes.push(j % 2 ? emoji(BY_CHARACTER.get(part)) : part));
  });
  return nodes;
}

const SHORTCODE = /:([a-z0-9_+'-]+)(?:::skin-tone-\d)?:/g;

function plainWithEmoji(text) {
  const nodes = [];
  let from = 0;
  for (const found of String(text ?? "").matchAll(SHORTCODE)) {
    const picture = emoji(found[1]);
    if (!picture) continue;
    nodes.push(plain(text.slice(from, found.index)), picture);
    from = found.index + found[0].length;
  }
  nodes.push(plain(String(text ?? "").slice(from)));
  return nodes.flat();
}

const unescape = (text) => String(text ?? "").replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
const escape = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

/* ── Slack's mrkdwn ───────────────────────────────────────────────────────────────────────────────────────────── */

const WORD = /[\p{L}\p{N}_]/u;

/** Blocks of a mrkdwn text: fenced code, quotes and lines. */
function mrkdwn(text) {
  const nodes = [];
  String(text ?? "").split("```").forEach((part, i, all) => {
    const closed = i % 2 && i < all.length - 1;
    if (closed) nodes.push(h("pre", { class: "code" }, unescape(part.replace(/^\n/, "").replace(/\n$/, ""))));
    else if (part) nodes.push(...mrkdwnLines(i % 2 ? "```" + part : i ? part.replace(/^\n/, "") : part));
  });
  return nodes;
}

function mrkdwnLines(text) {
  const nodes = [];
  let quote = null;
  const lines = text.split("\n");
  lines.forEach((line, i) => {
    const quoted = line.match(/^(?:&gt;|>)\s?/);
    if (quoted) {
      if (!quote) nodes.push((quote = h("blockquote")));
      else quote.append(h("br"));
      put(quote, inline(line.slice(quoted[0].length)));
      return;
    }
    if (!quote && i) nodes.push(h("br"));
    quote = null;
    nodes.push(...inline(line));
  });
  return nodes;
}

const MARKS = { "*": "strong", _: "em", "~": "s" };

/** One line of mrkdwn. A mark opens before a word and closes after one; a closer looked for in vain is not looked for again. */
function inline(line, depth = 0) {
  const nodes = [];
  const hopeless = new Set();
  let from = 0;
  let at = 0;
  const flush = (to) => {
    if (to > from) nodes.push(...plainWithEmoji(unescape(line.slice(from, to))));
  };
  while (at < line.length) {
    const c = line[at];
    let end = -1;
    let node = null;
    if (c === "<" && !hopeless.has(c)) {
      end = line.indexOf(">", at + 1);
      if (end > at + 1) node = angle(line.slice(at + 1, end));
      if (end < 0) hopeless.add(c);
    } else if (c === "`" && !hopeless.has(c)) {
      end = line.indexOf("`", at + 1);
      if (end > at + 1) node = h("code", {}, unescape(line.slice(at + 1, end)));
      if (end < 0) hopeless.add(c);
    } else if (MARKS[c] && depth < MAX_NESTING && !hopeless.has(c) && !WORD.test(line[at - 1] ?? " ") && /\S/.test(line[at + 1] ?? " ") && line[at + 1] !== c) {
      end = closer(line, c, at + 1);
      if (end > at + 1) node = h(MARKS[c], {}, inline(line.slice(at + 1, end), depth + 1));
      else hopeless.add(c);
    } else if (c === "h" && /^https?:\/\/[^\s<>|]{3,}/.test(line.slice(at, at + 24)) && !WORD.test(line[at - 1] ?? " ")) {
      const url = line.slice(at).match(/^https?:\/\/[^\s<>|]+?(?=[.,;:!?)\]'"*_~`]*(?:\s|$|[<>|]))/)?.[0];
      if (url) {
        end = at + url.length - 1;
        node = link(unescape(url), unescape(url));
      }
    }
    if (node) {
      flush(at);
      nodes.push(node);
      from = at = end + 1;
    } else at += 1;
  }
  flush(line.length);
  return nodes;
}

function closer(line, mark, from) {
  for (let i = line.indexOf(mark, from); i >= 0; i = line.indexOf(mark, i + 1)) {
    if (/\S/.test(line[i - 1]) && line[i - 1] !== mark && !WORD.test(line[i + 1] ?? " ")) return i;
  }
  return -1;
}

/** What stands between < and >: a mention, a channel, a date or a link. */
function angle(token) {
  const bar = token.indexOf("|");
  const target = bar < 0 ? token : token.slice(0, bar);
  const label = bar < 0 ? null : unescape(token.slice(bar + 1));
  if (/^@[UW]/.test(target)) return userMention(target.slice(1));
  if (target.startsWith("#C")) return channelMention(target.slice(1), label);
  if (target.startsWith("!subteam^")) return groupMention(target.slice(9), label);
  if (target.startsWith("!date^")) return dateToken(target.slice(6), label);
  if (/^!(here|channel|everyone)$/.test(target)) return h("span", { class: "mention mention-loud" }, `@${target.slice(1)}`);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return link(unescape(target), ...(label ? plain(label) : []));
  return null;
}

function userMention(id) {
  const mine = id === me.user;
  return h("span", { class: mine ? "mention mention-me" : "mention", title: world.title(id), data: { user: id } }, `@${world.nameOf(id)}`);
}

function channelMention(id, label) {
  const channel = world.channels.get(id);
  if (!channel) return h("span", { class: "mention" }, `#${label ?? id}`);
  return h("button", { type: "button", class: "mention", onclick: () => goTo(id) }, `#${channel.name}`);
}

function groupMention(id, label) {
  const group = world.groups.get(id);
  const mine = group?.users?.includes(me.user);
  return h("span", { class: mine ? "mention mention-me" : "mention", title: group?.name }, `@${(group?.handle ?? label ?? id).replace(/^@/, "")}`);
}

/** `<!date^1764000000^{date_short} {time}^https://…|fallback>` */
function dateToken(body, fallback) {
  const [seconds, format = "", url] = body.split("^");
  const when = new Date(Number(seconds) * 1000);
  if (Number.isNaN(when.getTime())) return h("span", {}, fallback ?? body);
  const words = h("time", { datetime: when.toISOString(), title: utc(when) }, formatDate(when, format));
  return url ? link(url, words) : words;
}

/* ── Times: the reader's zone in the text, UTC in the title ───────────────────────────────────────────────────── */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayWords = (style) => new Intl.DateTimeFormat(undefined, style);
const DAY = { num: dayWords({ year: "numeric", month: "2-digit", day: "2-digit" }), plain: dayWords({ month: "long", day: "numeric", year: "numeric" }), short: dayWords({ month: "short", day: "numeric", year: "numeric" }), long: dayWords({ weekday: "long", month: "long", day: "numeric", year: "numeric" }) };

const utc = (when) => `${when.toISOString().slice(0, 19).replace("T", " ")} UTC`;
const moment = (ts) => new Date(Number(ts) * 1000);

function pretty(when, otherwise) {
  const days = Math.round((new Date(when).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  return { 0: "today", [-1]: "yesterday", 1: "tomorrow" }[days] ?? otherwise.format(when);
}

function ago(when) {
  const seconds = Math.round((when - Date.now()) / 1000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const [unit, size] = [["day", 86_400], ["hour", 3600], ["minute", 60]].find(([, n]) => Math.abs(seconds) >= n) ?? ["second", 1];
  return words.format(Math.round(seconds / size), unit);
}

function formatDate(when, format) {
  const words = {
    date_num: () => DAY.num.format(when), date: () => DAY.plain.format(when), date_short: () => DAY.short.format(when), date_long: () => DAY.long.format(when),
    date_pretty: () => pretty(when, DAY.plain), date_short_pretty: () => pretty(when, DAY.short), date_long_pretty: () => pretty(when, DAY.long), day_divider_pretty: () => pretty(when, DAY.long),
    time: () => clock.format(when), time_secs: () => clockSeconds.format(when), ago: () => ago(when),
  };
  return format.replace(/\{(\w+)\}/g, (all, name) => (Object.hasOwn(words, name) ? words[name]() : all));
}

/* ── Markdown: canvases and markdown blocks ───────────────────────────────────────────────────────────────────── */

function markdown(text) {
  const lines = String(text ?? "").replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n");
  return markdownBlocks(lines, 0);
}

const FENCE = /^\s*(```+|~~~+)\s*(\S*)/;
const LIST = /^(\s*)([-*+]|\d{1,9}[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/;
const RULE = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function markdownBlocks(lines, depth) {
  const nodes = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    const fence = line.match(FENCE);
    const heading = line.match(/^(#{1,6})\s+(.*?)\s*#*$/);
    if (!line.trim()) i += 1;
    else if (fence) {
      const end = lines.findIndex((l, j) => j > i && l.trim().startsWith(fence[1]));
      const last = end < 0 ? lines.length : end;
      nodes.push(h("pre", { class: "code" }, unescape(lines.slice(i + 1, last).join("\n"))));
      i = last + 1;
    } else if (heading) {
      nodes.push(h(`h${Math.min(6, heading[1].length + 2)}`, { class: `md-h${heading[1].length}` }, markdownInline(heading[2])));
      i += 1;
    } else if (RULE.test(line)) {
      nodes.push(h("hr"));
      i += 1;
    } else if (/^\s*(>|&gt;)/.test(line)) {
      const end = runEnd(lines, i, (l) => /^\s*(>|&gt;)/.test(l));
      const inner = lines.slice(i, end).map((l) => l.replace(/^\s*(>|&gt;) ?/, ""));
      nodes.push(h("blockquote", {}, depth < MAX_NESTING ? markdownBlocks(inner, depth + 1) : inner.join("\n")));
      i = end;
    } else if (line.includes("|") && TABLE_RULE.test(lines[i + 1] ?? "") && (lines[i + 1] ?? "").includes("-")) {
      const end = runEnd(lines, i + 2, (l) => l.includes("|") && l.trim());
      nodes.push(markdownTable(lines.slice(i, end)));
      i = end;
    } else if (LIST.test(line)) {
      const end = runEnd(lines, i, (l, j) => LIST.test(l) || /^\s{2,}\S/.test(l) || (!l.trim() && LIST.test(lines[j + 1] ?? "")));
      nodes.push(...markdownList(lines.slice(i, end), depth));
      i = end;
    } else {
      const end = runEnd(lines, i + 1, (l, j) => l.trim() && !FENCE.test(l) && !/^#{1,6}\s/.test(l) && !LIST.test(l) && !RULE.test(l) && !/^\s*(>|&gt;)/.test(l) && !TABLE_RULE.test(lines[j + 1] ?? "x"));
      const paragraph = h("p");
      lines.slice(i, end).forEach((l, j) => put(paragraph, [j ? h("br") : null, markdownInline(l.replace(/(\\|\s{2,})$/, ""))]));
      nodes.push(paragraph);
      i = end;
    }
  }
  return nodes;
}

function runEnd(lines, from, holds) {
  let end = from;
  while (end < lines.length && holds(lines[end], end)) end += 1;
  return Math.max(end, from);
}

function markdownList(lines, depth) {
  const first = lines[0].match(LIST);
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  const list = h(ordered ? "ol" : "ul", ordered ? { start: parseInt(first[2], 10) } : {});
  const lists = [list];
  let i = 0;
  while (i < lines.length) {
    const item = lines[i].match(LIST);
    if (item && item[1].length <= indent && /\d/.test(item[2]) !== ordered) {
      lists.push(...markdownList(lines.slice(i), depth));
      break;
    }
    const end = runEnd(lines, i + 1, (l) => !l.trim() || (l.match(LIST)?.[1].length ?? l.search(/\S/)) > indent);
    const inner = lines.slice(i + 1, end).map((l) => l.slice(Math.min(indent + 2, Math.max(0, l.search(/\S/)))));
    const check = item?.[3] === undefined ? null : h("input", { type: "checkbox", disabled: true, checked: item[3] !== " ", "aria-label": item[3] === " " ? "open" : "done" });
    const nested = inner.some((l) => l.trim()) && depth < MAX_NESTING ? markdownBlocks(inner, depth + 1) : inner.map((l) => l.trim()).join(" ");
    list.append(h("li", { class: check ? "check" : undefined }, check, h("span", {}, markdownInline(item ? item[4] : lines[i].trim())), nested));
    i = end;
  }
  return lists;
}

function markdownTable(lines) {
  const cells = (line) => line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
  const sides = cells(lines[1]).map((rule) => (/^:-+:$/.test(rule) ? "center" : /-:$/.test(rule) ? "right" : "left"));
  const head = cells(lines[0]);
  const row = (line, tag) => h("tr", {}, head.map((_, i) => h(tag, { class: `align-${sides[i] ?? "left"}`, scope: tag === "th" ? "col" : undefined }, markdownInline(cells(line)[i] ?? ""))));
  return scrolling("Table", h("table", { class: "grid" }, h("thead", {}, row(lines[0], "th")), h("tbody", {}, lines.slice(2).map((line) => row(line, "td")))));
}

const scrolling = (label, ...children) => h("div", { class: "scroll-x", tabindex: "0", role: "group", "aria-label": label }, children);

const MD_PATTERNS = [
  [/^\\([\\`*_{}[\]()#+\-.!~|>&<])/, (m) => [m[1]]],
  [/^(`+)(.+?)\1(?!`)/, (m) => [h("code", {}, unescape(m[2].trim()))]],
  [/^!\[([^\]]{0,200})\]\(([^)\s]{0,500})\)/, (m) => [markdownImage(m[1], m[2])]],
  [/^\[([^\]]{1,300})\]\(([^)\s]{1,2000})\)/, (m, d) => [link(unescape(m[2]), ...markdownInline(m[1], d + 1))]],
  [/^<(https?:[^>|\s]+|mailto:[^>|\s]+)(?:\|([^>]*))?>/, (m) => [link(unescape(m[1]), unescape(m[2] ?? m[1]))]],
  [/^<([@#!][^>]+)>/, (m) => [angle(m[1]) ?? m[0]]],
  [/^\*\*(?=\S)([^\n]{1,2000}?\S)\*\*(?!\*)|^__(?=\S)([^\n]{1,2000}?\S)__(?!_)/, (m, d) => [h("strong", {}, markdownInline(m[1] ?? m[2], d + 1))]],
  [/^\*(?=[^\s*])([^*\n]{0,2000}[^\s*])\*(?!\*)/, (m, d) => [h("em", {}, markdownInline(m[1], d + 1))]],
  [/^_(?=[^\s_])([^\n]{0,2000}?[^\s_])_(?![\p{L}\p{N}_])/u, (m, d) => [h("em", {}, markdownInline(m[1], d + 1))], "word"],
  [/^~~(?=\S)([^~\n]{1,2000})~~/, (m, d) => [h("s", {}, markdownInline(m[1], d + 1))]],
  [/^https?:\/\/[^\s<>|)\]]{2,1000}[^\s<>|)\].,;:!?'"*_~]/, (m) => [link(unescape(m[0]), unescape(m[0]))], "word"],
];

function markdownInline(text, depth = 0) {
  const source = String(text ?? "");
  const nodes = [];
  if (depth > MAX_NESTING) return plainWithEmoji(unescape(source));
  let from = 0;
  let at = 0;
  while (at < source.length) {
    const special = source.slice(at).search(/[\\`!*_~[<h]/);
    if (special < 0) break;
    at += special;
    const rest = source.slice(at, at + 4200);
    let step = 0;
    for (const [pattern, build, kind] of MD_PATTERNS) {
      if (kind === "word" && WORD.test(source[at - 1] ?? " ")) continue;
      const found = rest.match(pattern);
      if (!found) continue;
      nodes.push(...plainWithEmoji(unescape(source.slice(from, at))), ...build(found, depth));
      step = found[0].length;
      from = at + step;
      break;
    }
    at += step || 1;
  }
  nodes.push(...plainWithEmoji(unescape(source.slice(from))));
  return nodes;
}

/** A canvas writes mentions as images: `![](@U…)`, `![](#C…)`. Pictures come from the playground's own files only. */
function markdownImage(alt, target) {
  if (/^@[UW]/.test(target)) return userMention(target.slice(1));
  if (/^#C/.test(target)) return channelMention(target.slice(1));
  const file = [...world.files.values()].find((f) => target.includes(f.id));
  if (file) return picture({ slack_file: { id: file.id }, alt_text: alt });
  return link(target, alt || target);
}

/* ── Rich text: nothing inside is parsed ──────────────────────────────────────────────────────────────────────── */

function richText(block) {
  return (block?.elements ?? []).map(richElement);
}

function richElement(element) {
  const inner = () => (element.elements ?? []).flatMap(richInline);
  switch (element.type) {
    case "rich_text_section": return h("div", { class: "rich" }, inner());
    case "rich_text_preformatted": return h("pre", { class: "code" }, inner());
    case "rich_text_quote": return h("blockquote", {}, inner());
    case "rich_text_list": {
      const ordered = element.style === "ordered";
      const list = h(ordered ? "ol" : "ul", { start: ordered ? (element.offset ?? 0) + 1 : undefined, class: `rich-list indent-${Math.min(8, element.indent ?? 0)}${element.border ? " bordered" : ""}` });
      return put(list, (element.elements ?? []).map((item) => h("li", {}, item.type === "rich_text_section" ? (item.elements ?? []).flatMap(richInline) : richElement(item))));
    }
    default: return unsupported(`${element.type ?? "element"} in rich_text`);
  }
}

function richInline(element) {
  const node = richLeaf(element);
  const style = element.style ?? {};
  if (typeof style !== "object") return node;
  const wraps = [["code", "code"], ["strike", "s"], ["italic", "em"], ["bold", "strong"], ["underline", "u"]].filter(([name]) => style[name]);
  let wrapped = wraps.reduce((inside, [, tag]) => h(tag, {}, inside), node);
  if (style.highlight || style.client_highlight) wrapped = h("mark", {}, wrapped);
  return wrapped;
}

function richLeaf(element) {
  switch (element.type) {
    case "text": return plain(element.text);
    case "link": return link(element.url, ...(element.text ? plain(element.text) : []));
    case "user": return userMention(element.user_id);
    case "usergroup": return groupMention(element.usergroup_id);
    case "channel": return channelMention(element.channel_id);
    case "team": return h("span", { class: "mention" }, world.team.name ?? element.team_id);
    case "broadcast": return h("span", { class: "mention mention-loud" }, `@${element.range}`);
    case "emoji": return emoji(element.name) ?? h("span", {}, `:${element.name}:`);
    case "date": {
      const when = new Date(Number(element.timestamp) * 1000);
      if (Number.isNaN(when.getTime())) return h("span", {}, element.fallback ?? "");
      const words = h("time", { datetime: when.toISOString(), title: utc(when) }, formatDate(when, element.format ?? "{date_short} {time}"));
      return element.url ? link(element.url, words) : words;
    }
    case "color": {
      const colour = /^#[0-9a-f]{3,8}$/i.test(element.value ?? "") ? element.value : null;
      return h("span", { class: "colour" }, colour && h("i", { class: "swatch", style: { background: colour } }), String(element.value ?? ""));
    }
    default: return h("span", { class: "unsupported" }, WORDS.unsupported(`${element.type} in rich_text`));
  }
}

/** A text object, whichever kind. */
function textObject(text) {
  if (text === null || text === undefined) return [];
  if (typeof text === "string") return plain(text);
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  return text.emoji === false ? plain(text.text) : plainWithEmoji(text.text);
}

const words = (text) => (typeof text === "string" ? text : String(text?.text ?? ""));

/* ── Block Kit ────────────────────────────────────────────────────────────────────────────────────────────────── */

// What a reader opened, sorted or turned to stays so when the message is edited: remembered per owner and place.
const memory = new Map();

const unsupported = (what) => h("p", { class: "unsupported", role: "note" }, WORDS.unsupported(what));

const BLOCKS = {
  section: sectionBlock, header: headerBlock, divider: () => h("hr"), image: imageBlock, context: contextBlock, actions: actionsBlock, input: inputBlock,
  rich_text: (b) => h("div", { class: "rich-text" }, richText(b)), markdown: (b) => h("div", { class: "document" }, markdown(b.text)), table: tableBlock, data_table: dataTableBlock,
  data_visualization: chartBlock, plan: planBlock, task_card: taskCard, container: containerBlock, card: cardBlock, carousel: carouselBlock,
  context_actions: actionsBlock, alert: alertBlock,
};

/** `owner` names the message or view, `path` the place in it; both only serve `memory`. */
function renderBlock(block, owner, path) {
  const draw = Object.hasOwn(BLOCKS, block?.type ?? "") ? BLOCKS[block.type] : null;
  let element;
  try {
    element = draw ? draw(block, owner, path) : unsupported(block?.type ?? "without a type");
  } catch (error) {
    // A malformed block must not take the rest of the message with it.
    element = unsupported(`${block.type} (${error.message})`);
  }
  element.classList.add("block", `block-${String(block?.type ?? "unknown").replace(/\W/g, "")}`);
  element.dataset.blockId = block?.block_id ?? "";
  return element;
}

const withoutId = (block) => JSON.stringify(block, (key, value) => (key === "block_id" ? undefined : value));

/** Brings `box` to show `blocks`, leaving alone what did not change: focus, open menus and typed text survive an edit. */
function reconcileBlocks(box, blocks, owner, epoch) {
  const old = box.shown ?? [];
  const kept = new Set();
  const fresh = blocks.map((block, i) => {
    const signature = `${epoch}${withoutId(block)}`;
    const same = [old[i], ...old].find((entry) => entry && !kept.has(entry) && entry.signature === signature);
    if (same) {
      kept.add(same);
      relabel(same.element, block);
      return same;
    }
    return { signature, element: renderBlock(block, owner, String(i)) };
  });
  const focus = document.activeElement?.closest?.("[data-action-id]");
  const held = focus && box.contains(focus) ? focus.dataset.actionId : null;
  for (const entry of old) if (!kept.has(entry)) entry.element.remove();
  fresh.forEach(({ element }, i) => {
    if (box.children[i] !== element) box.insertBefore(element, box.children[i] ?? null);
  });
  box.shown = fresh;
  if (held !== null && !box.contains(document.activeElement)) [...box.querySelectorAll("[data-action-id]")].find((e) => e.dataset.actionId === held)?.focus({ preventScroll: true });
}

/** Every update brings new block ids; a kept element takes them over, children included. */
function relabel(element, block) {
  element.dataset.blockId = block.block_id ?? "";
  const children = block.child_blocks ?? (block.type === "carousel" ? block.elements : block.type === "plan" ? block.tasks : null) ?? [];
  const inner = [...element.querySelectorAll("[data-block-id]")].filter((e) => e.parentElement.closest("[data-block-id]") === element);
  children.forEach((child, i) => inner[i] && relabel(inner[i], child));
}

function sectionBlock(block) {
  const fields = (block.fields ?? []).map((field) => h("div", { class: "field" }, textObject(field)));
  const body = h("div", { class: "section-text" }, block.text ? h("div", { class: "text" }, textObject(block.text)) : null, fields.length ? h("div", { class: "fields" }, fields) : null);
  return h("div", {}, body, block.accessory ? h("div", { class: "accessory" }, renderElement(block.accessory, words(block.text))) : null);
}

function headerBlock(block) {
  return h("div", { role: "heading", "aria-level": 2 + (block.level ?? 1), class: `level-${block.level ?? 1}` }, textObject(block.text));
}

function contextBlock(block) {
  return h("div", {}, (block.elements ?? []).map((e) => (e.type === "image" ? picture(e, "context-image") : h("span", { class: "context-text" }, textObject(e)))));
}

function actionsBlock(block) {
  return h("div", { class: "row-of-actions" }, (block.elements ?? []).map((e) => renderElement(e, "")));
}

function imageBlock(block) {
  return h("figure", {}, block.title ? h("figcaption", {}, textObject(block.title)) : null, picture(block, "image"));
}

/** An image of the playground's own files. Anything else would be a request to the outside: its words are shown instead. */
function picture(source, kind = "image") {
  const alt = source.alt_text ?? source.alt_txt ?? "";
  const wanted = source.slack_file;
  if (wanted) {
    const id = wanted.id ?? [...world.files.values()].find((f) => wanted.url?.includes(f.id))?.id ?? wanted.url ?? "";
    const box = h("span", { class: `picture ${kind}`, data: { awaitsFile: id } });
    fillPicture(box, id, alt);
    return box;
  }
  const url = safeUrl(source.image_url);
  if (url && new URL(url).origin === location.origin) return h("span", { class: `picture ${kind}` }, h("img", { src: url, alt, loading: "lazy" }));
  return h("span", { class: `picture ${kind} placeholder` }, icon("canvas"), h("span", {}, alt || "Image"), url ? link(url, " (not loaded from outside)") : null);
}

function fillPicture(box, id, alt) {
  const file = world.files.get(id);
  box.dataset.alt = alt;
  const url = file && safeUrl(file.url);
  const content = url
    ? h("a", { href: url, target: "_blank", rel: "noopener", "aria-label": `Open the image: ${alt || file.alt_txt || file.title || file.name}` }, h("img", { src: url, alt: alt || file.alt_txt || file.title || file.name }))
    : h("span", { class: "placeholder" }, icon("canvas"), `${alt || "Image"} (uploading…)`);
  box.replaceChildren(content);
}

function inputBlock(block) {
  const id = nextId("field");
  const group = ["radio_buttons", "checkboxes", "multi_static_select", "multi_users_select"].includes(block.element?.type);
  const control = renderElement(block.element ?? {}, words(block.label), { id, dispatch: block.dispatch_action === true, required: !block.optional });
  const label = [textObject(block.label), block.optional ? h("span", { class: "muted" }, " (optional)") : null];
  const hint = block.hint ? h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint)) : null;
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const target = group ? control : control.matches("input,textarea,select") ? control : control.querySelector("input,textarea,select") ?? control;
  target.setAttribute("aria-describedby", `${id}-error${hint ? ` ${id}-hint` : ""}`);
  const heading = group ? h("span", { class: "label", id: `${id}-label` }, label) : h("label", { class: "label", for: id }, label);
  if (group) control.setAttribute("aria-labelledby", `${id}-label`);
  return h("div", { class: "input", data: { optional: String(Boolean(block.optional)) } }, heading, control, hint, error);
}

function alertBlock(block) {
  const level = ["info", "warning", "error", "success"].includes(block.level) ? block.level : "default";
  const shown = { info: "information_source", warning: "warning", error: "no_entry", success: "white_check_mark", default: "information_source" }[level];
  return h("div", { class: `alert alert-${level}`, role: "note" }, emoji(shown), h("span", {}, textObject(block.text)));
}

/* Tables */

function cellNodes(cell) {
  if (cell?.type === "rich_text") return richText(cell);
  if (cell?.type === "raw_text") return plain(cell.text);
  if (cell?.type === "raw_number") return plain(cell.text ?? cell.value);
  return plain(typeof cell === "object" ? words(cell) : cell);
}

function cellText(cell) {
  if (cell?.type === "rich_text") return JSON.stringify(cell.elements ?? []).match(/"text":"((?:[^"\\]|\\.)*)"/g)?.map((m) => JSON.parse(`{${m}}`).text).join("") ?? "";
  return String(cell?.text ?? cell?.value ?? "");
}

function tableBlock(block) {
  const settings = block.column_settings ?? [];
  const cell = (tag) => (c, i) => h(tag, { class: `align-${["center", "right"].includes(settings[i]?.align) ? settings[i].align : c?.type === "raw_number" ? "right" : "left"}${settings[i]?.is_wrapped ? " wrapped" : ""}`, scope: tag === "th" ? "col" : undefined }, cellNodes(c));
  const [head, ...rows] = block.rows ?? [];
  return scrolling("Table", h("table", { class: "grid" }, head && h("thead", {}, h("tr", {}, head.map(cell("th")))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

function dataTableBlock(block, owner, path) {
  const key = `${owner}/${path}/${block.caption}`;
  const view = memory.get(key) ?? { page: 0, sort: null, down: false, filter: "" };
  memory.set(key, view);
  const [head = [], ...rows] = block.rows ?? [];
  const size = Math.min(100, Math.max(1, block.page_size ?? 5));
  const box = h("div", {});
  const body = h("tbody");
  const headRow = h("tr");
  const pager = h("div", { class: "pager" });
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((row) => row[i]?.type === "raw_number" || /^-?[\d.,]+\s*%?$/.test(cellText(row[i]))));
  const number = (cell) => Number(cell?.value ?? cellText(cell).replace(/[,%\s]/g, ""));

  const draw = () => {
    const needle = view.filter.toLowerCase();
    const found = rows.filter((row) => !needle || row.some((cell) => cellText(cell).toLowerCase().includes(needle)));
    if (view.sort !== null) {
      const i = view.sort;
      found.sort((a, b) => (numeric[i] ? number(a[i]) - number(b[i]) : cellText(a[i]).localeCompare(cellText(b[i]), undefined, { numeric: true })) * (view.down ? -1 : 1));
    }
    const pages = Math.max(1, Math.ceil(found.length / size));
    view.page = Math.min(view.page, pages - 1);
    const from = view.page * size;
    body.replaceChildren(...found.slice(from, from + size).map((row) => h("tr", {}, row.map((cell, i) => (i === block.row_header_column_index ? h("th", { scope: "row" }, cellNodes(cell)) : h("td", { class: numeric[i] ? "align-right" : "align-left" }, cellNodes(cell)))))));
    [...headRow.children].forEach((th, i) => th.setAttribute("aria-sort", view.sort === i ? (view.down ? "descending" : "ascending") : "none"));
    const turn = (label, by, off) => h("button", { type: "button", class: "button", disabled: off, onclick: () => { view.page += by; draw(); } }, label);
    pager.replaceChildren(h("span", { class: "muted", role: "status" }, found.length ? `${from + 1}–${Math.min(from + size, found.length)} of ${found.length}` : "No rows match"), ...(pages > 1 ? [turn("Previous", -1, view.page === 0), turn("Next", 1, view.page >= pages - 1)] : []));
  };
  head.forEach((cell, i) => {
    const sort = () => {
      view.down = view.sort === i ? !view.down : numeric[i];
      view.sort = i;
      draw();
    };
    headRow.append(h("th", { scope: "col", class: numeric[i] ? "align-right" : "align-left" }, h("button", { type: "button", class: "sort", onclick: sort }, cellNodes(cell), h("span", { class: "arrow", "aria-hidden": "true" }))));
  });
  const filter = rows.length > size ? h("input", { type: "search", class: "control filter", placeholder: "Filter rows", "aria-label": `Filter ${block.caption ?? "the table"}`, value: view.filter, oninput: (e) => { view.filter = e.target.value; view.page = 0; draw(); } }) : null;
  draw();
  return put(box, [h("div", { class: "table-top" }, h("strong", {}, block.caption ?? ""), filter), scrolling(block.caption ?? "Table", h("table", { class: "grid" }, h("caption", { class: "sr" }, block.caption ?? ""), h("thead", {}, headRow), body)), pager]);
}

/* Plans and tasks */

const TASK_WORDS = { pending: "Waiting", in_progress: "Running", complete: "Done", error: "Failed" };

function taskMark(status) {
  if (status === "in_progress") return h("span", { class: "spinner", role: "img", "aria-label": TASK_WORDS.in_progress });
  if (status === "complete") return h("span", { class: "mark mark-complete", role: "img", "aria-label": TASK_WORDS.complete }, icon("check"));
  if (status === "error") return h("span", { class: "mark mark-error", role: "img", "aria-label": TASK_WORDS.error }, icon("close"));
  return h("span", { class: "mark mark-pending", role: "img", "aria-label": TASK_WORDS.pending });
}

function planState(tasks) {
  const has = (status) => tasks.some((task) => task.status === status);
  if (has("in_progress")) return "in_progress";
  if (has("error")) return "error";
  return tasks.length && tasks.every((task) => task.status === "complete") ? "complete" : "pending";
}

function remembered(key, open, summary, ...children) {
  const details = h("details", { open: memory.get(key) ?? open }, summary, children);
  details.addEventListener("toggle", () => memory.set(key, details.open));
  return details;
}

function planBlock(block, owner, path) {
  const tasks = block.tasks ?? [];
  const done = tasks.filter((task) => task.status === "complete" || task.status === "error").length;
  const summary = h("summary", {}, taskMark(planState(tasks)), h("strong", {}, words(block.title)), h("span", { class: "muted count" }, tasks.length ? `${done} of ${tasks.length}` : ""), icon("chevron"));
  return remembered(`${owner}/${path}/plan`, true, summary, h("ol", { class: "tasks" }, tasks.map((task, i) => h("li", {}, renderBlock({ type: "task_card", ...task }, owner, `${path}.${i}`)))));
}

function taskCard(task, owner, path) {
  const sources = (task.sources ?? []).map((source) => h("span", { class: "source" }, link(source.url, words(source.text) || source.url)));
  const details = task.details ? remembered(`${owner}/${path}/${task.task_id}`, false, h("summary", { class: "quiet" }, "Details"), richText(task.details)) : null;
  return h("div", { class: `task task-${task.status}`, data: { taskId: task.task_id ?? "", status: task.status ?? "" } }, taskMark(task.status), h("div", { class: "task-words" }, h("span", { class: "task-title" }, words(task.title)), task.output ? h("div", { class: "task-output" }, richText(task.output)) : null, details, sources.length ? h("div", { class: "sources" }, sources) : null));
}

/* Containers and cards */

function containerBlock(block, owner, path) {
  const title = [block.icon ? picture(block.icon, "card-icon") : null, h("span", { class: "container-title" }, block.rich_text_title ? richText(block.rich_text_title) : textObject(block.title)), block.subtitle ? h("span", { class: "muted" }, textObject(block.subtitle)) : null];
  const children = h("div", { class: "container-body" }, (block.child_blocks ?? []).map((child, i) => renderBlock(child, owner, `${path}.${i}`)));
  const width = ["narrow", "wide", "full"].includes(block.width) ? ` width-${block.width}` : "";
  if (!block.is_collapsible) return h("section", { class: `container${width}${block.has_header_divider ? " ruled" : ""}` }, h("div", { class: "container-head" }, title), children);
  const box = remembered(`${owner}/${words(block.title) || path}`, !block.default_collapsed, h("summary", { class: "container-head" }, icon("chevron"), title), children);
  box.className = `container${width}`;
  return box;
}

function cardBlock(block) {
  const head = h("div", { class: "card-head" }, block.icon ? picture(block.icon, "card-icon") : null, h("div", {}, block.title ? h("strong", {}, textObject(block.title)) : null, block.subtitle ? h("div", { class: "muted" }, textObject(block.subtitle)) : null));
  return h("article", { class: "card" }, block.hero_image ? picture(block.hero_image, "hero") : null, head, block.body ? h("div", { class: "card-body" }, textObject(block.body)) : null, block.actions?.length ? h("div", { class: "row-of-actions" }, block.actions.map((e) => renderElement(e, words(block.title)))) : null);
}

function carouselBlock(block, owner, path) {
  const cards = (block.elements ?? []).map((card, i) => renderBlock({ type: "card", ...card }, owner, `${path}.${i}`));
  return h("div", { class: "carousel", role: "group", "aria-roledescription": "carousel", "aria-label": `${cards.length} cards`, tabindex: "0" }, cards);
}

/* ── Charts: inline SVG for the eye, a table for everyone else ────────────────────────────────────────────────── */

const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });

function chartBlock(block) {
  const chart = block.chart ?? {};
  const draw = { line: xyChart, area: xyChart, bar: xyChart, pie: pieChart }[chart.type];
  if (!draw) return unsupported(`data_visualization of type ${chart.type}`);
  const title = words(block.title);
  const figure = h("figure", { class: `chart chart-${chart.type}`, role: "group", "aria-label": title });
  const canvas = h("div", { class: "chart-canvas" });
  put(figure, [h("figcaption", {}, title), canvas, legend(chart), chartTable(title, chart)]);
  let width = 0;
  const redraw = (available) => {
    const next = Math.round(Math.min(760, Math.max(220, available)));
    if (Math.abs(next - width) < 8) return;
    width = next;
    canvas.replaceChildren(draw(chart, width, title));
  };
  redraw(480);
  new ResizeObserver(([entry]) => entry.contentRect.width && redraw(entry.contentRect.width)).observe(canvas);
  return figure;
}

const seriesOf = (chart) => (chart.series ?? []).map((series) => ({ name: String(series.name ?? ""), points: new Map((series.data ?? []).map((d) => [String(d.label), Number(d.value)])) }));
const categoriesOf = (chart) => (chart.axis_config?.categories ?? [...new Set((chart.series ?? []).flatMap((x) => (x.data ?? []).map((d) => d.label)))]).map(String);
const segmentsOf = (chart) => (chart.segments ?? []).map((x) => ({ label: String(x.label), value: Math.max(0, Number(x.value) || 0) }));

function legend(chart) {
  const pie = chart.type === "pie";
  const segments = segmentsOf(chart);
  const total = segments.reduce((sum, x) => sum + x.value, 0) || 1;
  const entries = pie ? segments.map((x) => [x.label, `${exact.format(x.value)} (${Math.round((x.value / total) * 100)} %)`]) : seriesOf(chart).map((x) => [x.name, ""]);
  return h("ul", { class: "legend", "aria-hidden": "true" }, entries.map(([name, value], i) => h("li", {}, h("i", { class: `swatch series-${i % 12}` }), name, value ? h("span", { class: "muted" }, ` ${value}`) : h("output", { class: "reading" }))));
}

function chartTable(title, chart) {
  const pie = chart.type === "pie";
  const series = seriesOf(chart);
  const head = pie ? ["Segment", "Value"] : [chart.axis_config?.x_label ?? "Category", ...series.map((x) => x.name)];
  const rows = pie ? segmentsOf(chart).map((x) => [x.label, x.value]) : categoriesOf(chart).map((c) => [c, ...series.map((x) => x.points.get(c) ?? "")]);
  return h("div", { class: "sr" }, h("table", {}, h("caption", {}, title), h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, String(cell))))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) => h(i ? "td" : "th", { scope: i ? undefined : "row" }, String(cell))))))));
}

function ticks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const raw = span / 4;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((n) => n * magnitude >= raw) * magnitude;
  const from = Math.floor(low / step);
  const to = Math.max(Math.ceil(high / step), from + 1);
  return Array.from({ length: to - from + 1 }, (_, i) => (from + i) * step);
}

function xyChart(chart, width, title) {
  const series = seriesOf(chart);
  const categories = categoriesOf(chart);
  const axis = chart.axis_config ?? {};
  const values = series.flatMap((x) => [...x.points.values()]).filter(Number.isFinite);
  const scale = ticks(Math.min(0, ...values), Math.max(0, ...values));
  const labels = scale.map((v) => short.format(v));
  const left = 14 + Math.max(...labels.map((l) => l.length)) * 6.6;
  const top = axis.y_label ? 24 : 12;
  const box = { left, top, right: width - 12, bottom: 216 - (axis.x_label ? 40 : 24) };
  const lowest = scale[0];
  const y = (v) => box.bottom - ((v - lowest) / (scale.at(-1) - lowest)) * (box.bottom - box.top);
  const bars = chart.type === "bar";
  const slot = (box.right - box.left) / Math.max(1, bars ? categories.length : categories.length - 1);
  const x = (i) => (bars ? box.left + slot * (i + 0.5) : categories.length === 1 ? (box.left + box.right) / 2 : box.left + slot * i);
  const every = Math.max(1, Math.ceil((Math.max(...categories.map((c) => c.length), 1) * 6.4 + 14) / slot));

  const spoken = series.map((one) => `${one.name} from ${exact.format(one.points.get(categories[0]) ?? 0)} to ${exact.format(one.points.get(categories.at(-1)) ?? 0)}, at most ${exact.format(Math.max(...one.points.values()))}`).join("; ");
  const svg = s("svg", { viewBox: `0 0 ${width} 216`, width, height: 216, role: "img", "aria-label": `${chart.type} chart: ${title}. ${spoken}.` });
  scale.forEach((v, i) => put(svg, [s("line", { x1: box.left, x2: box.right, y1: y(v), y2: y(v), class: v === 0 ? "axis" : "gridline" }), s("text", { x: box.left - 7, y: y(v) + 4, "text-anchor": "end" }, labels[i])]));
  categories.forEach((c, i) => {
    if (i % every) return;
    const edge = !bars && i === 0 ? "start" : !bars && i === categories.length - 1 ? "end" : "middle";
    svg.append(s("text", { x: x(i), y: box.bottom + 17, "text-anchor": edge }, c));
  });
  if (axis.y_label) svg.append(s("text", { x: 2, y: 12, class: "axis-label" }, axis.y_label));
  if (axis.x_label) svg.append(s("text", { x: (box.left + box.right) / 2, y: 212, "text-anchor": "middle", class: "axis-label" }, axis.x_label));

  series.forEach((one, n) => {
    const points = categories.map((c, i) => [x(i), y(one.points.get(c) ?? 0), one.points.get(c)]).filter(([, , v]) => Number.isFinite(v));
    if (bars) {
      const thick = Math.min(34, (slot * 0.72) / series.length);
      points.forEach(([px, py]) => svg.append(s("rect", { x: px + (n - series.length / 2) * thick + 0.5, y: Math.min(py, y(0)), width: Math.max(1, thick - 1), height: Math.max(1, Math.abs(y(0) - py)), rx: Math.min(3, thick / 3), class: `fill-${n % 12}` })));
      return;
    }
    const path = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
    if (chart.type === "area" && points.length) svg.append(s("path", { d: `${path}L${points.at(-1)[0]} ${y(0)}L${points[0][0]} ${y(0)}Z`, class: `fill-${n % 12} area` }));
    svg.append(s("path", { d: path, class: `stroke-${n % 12} line${n % 3 ? ` dash-${n % 3}` : ""}` }));
    if (points.length === 1 || points.length <= width / 26) points.forEach(([px, py]) => svg.append(s("circle", { cx: px, cy: py, r: 2.4, class: `fill-${n % 12}` })));
  });
  readable(svg, { categories, series, x, box });
  return svg;
}

/** Pointing at a category shows its values in the legend. */
function readable(svg, { categories, series, x, box }) {
  const guide = s("line", { y1: box.top, y2: box.bottom, class: "guide", visibility: "hidden" });
  svg.append(guide);
  const say = (i) => {
    const readings = svg.closest("figure")?.querySelectorAll(".reading") ?? [];
    guide.setAttribute("visibility", i < 0 ? "hidden" : "visible");
    if (i >= 0) for (const side of ["x1", "x2"]) guide.setAttribute(side, x(i));
    series.forEach((one, n) => readings[n] && (readings[n].textContent = i < 0 ? "" : ` ${exact.format(one.points.get(categories[i]) ?? 0)}${n ? "" : ` at ${categories[i]}`}`));
  };
  svg.addEventListener("pointermove", (event) => {
    const at = event.offsetX;
    say(categories.reduce((best, _, i) => (Math.abs(x(i) - at) < Math.abs(x(best) - at) ? i : best), 0));
  });
  svg.addEventListener("pointerleave", () => say(-1));
}

function pieChart(chart, width, title) {
  const segments = segmentsOf(chart);
  const total = segments.reduce((sum, x) => sum + x.value, 0) || 1;
  const [cx, cy, outer, inner] = [width / 2, 100, 88, 48];
  const svg = s("svg", { viewBox: `0 0 ${width} 200`, width, height: 200, role: "img", "aria-label": `pie chart: ${title}. ${segments.map((x) => `${x.label} ${Math.round((x.value / total) * 100)} percent`).join(", ")}.` });
  const at = (turn, r) => `${(cx + r * Math.sin(turn * 2 * Math.PI)).toFixed(2)} ${(cy - r * Math.cos(turn * 2 * Math.PI)).toFixed(2)}`;
  let turn = 0;
  segments.forEach((segment, i) => {
    const share = Math.min(0.99999, segment.value / total);
    const [from, to, large] = [turn, turn + share, share > 0.5 ? 1 : 0];
    turn = to;
    const d = `M${at(from, outer)}A${outer} ${outer} 0 ${large} 1 ${at(to, outer)}L${at(to, inner)}A${inner} ${inner} 0 ${large} 0 ${at(from, inner)}Z`;
    svg.append(s("path", { d, class: `fill-${i % 12} slice` }, s("title", {}, `${segment.label}: ${exact.format(segment.value)}`)));
  });
  return put(svg, [s("text", { x: cx, y: cy + 1, "text-anchor": "middle", class: "total" }, short.format(total)), s("text", { x: cx, y: cy + 18, "text-anchor": "middle" }, "total")]);
}

/* ── Elements a person can press or fill ──────────────────────────────────────────────────────────────────────── */

// element → {read, write, check}: how to take the value of a field out, put one back, and what is wrong with it.
const fields = new WeakMap();
let counter = 0;
const nextId = (prefix) => `${prefix}-${(counter += 1)}`;

function renderElement(element, about, input = null) {
  const draw = Object.hasOwn(ELEMENTS, element?.type ?? "") ? ELEMENTS[element.type] : null;
  if (!draw) return unsupported(`element ${element?.type ?? "without a type"}`);
  const allowed = element.visible_to_user_ids;
  if (Array.isArray(allowed) && !allowed.includes(me.user)) return h("span", { hidden: true });
  const node = draw(element, about, input);
  node.dataset.actionId = element.action_id ?? "";
  return node;
}

const ELEMENTS = {
  button: buttonElement, workflow_button: buttonElement, overflow: overflowElement, feedback_buttons: feedbackElement, icon_button: iconButtonElement,
  image: (e) => picture(e, "accessory-image"), url_source: (e) => link(e.url, words(e.text) || e.url), mrkdwn: (e) => h("span", {}, textObject(e)), plain_text: (e) => h("span", {}, textObject(e)),
  static_select: (e, about, input) => selectElement(e, about, input, optionNodes(e), "selected_option"),
  users_select: (e, about, input) => selectElement(e, about, input, peopleOptions(), "selected_user"),
  conversations_select: (e, about, input) => selectElement(e, about, input, channelOptions(), "selected_conversation"),
  channels_select: (e, about, input) => selectElement(e, about, input, channelOptions(), "selected_channel"),
  multi_static_select: (e, about, input) => choices(e, input, "checkbox", allOptions(e), e.initial_options, "selected_options"),
  multi_users_select: (e, about, input) => choices(e, input, "checkbox", people().map((u) => ({ text: u.real_name || u.name, value: u.id })), (e.initial_users ?? []).map((value) => ({ value })), "selected_users"),
  checkboxes: (e, about, input) => choices(e, input, "checkbox", e.options ?? [], e.initial_options, "selected_options"),
  radio_buttons: (e, about, input) => choices(e, input, "radio", e.options ?? [], e.initial_option ? [e.initial_option] : [], "selected_option"),
  plain_text_input: textInput, number_input: textInput, email_text_input: textInput, url_text_input: textInput,
  datepicker: (e, about, input) => timeInput(e, about, input, "date", e.initial_date, "selected_date"),
  timepicker: (e, about, input) => timeInput(e, about, input, "time", e.initial_time, "selected_time"),
  datetimepicker: (e, about, input) => timeInput(e, about, input, "datetime-local", e.initial_date_time, "selected_date_time"),
};

/** Where an element stands, read from the page at the moment of the click: an edit may have changed the block id. */
function addressOf(node) {
  const block_id = node.closest("[data-block-id]")?.dataset.blockId ?? "";
  const view = node.closest("[data-view-id]");
  if (view) return { view_id: view.dataset.viewId, block_id, values: collect(view) };
  const message = node.closest("[data-ts]");
  return { channel: message.dataset.channel, message_ts: message.dataset.ts, block_id };
}

async function click(node, element, extra = {}) {
  if (element.confirm && !(await askConfirm(element.confirm, node))) return false;
  const body = { do: "click", ...addressOf(node), action_id: element.action_id ?? "", ...extra };
  return busy(node, () => act(body));
}

/** Keeps a control from being pressed twice while the server decides. Nothing on the page is changed in advance. */
async function busy(node, work) {
  node.setAttribute("aria-busy", "true");
  const answer = await work();
  node.removeAttribute("aria-busy");
  if (!answer.ok) toast(answer.error);
  return answer.ok;
}

function press(node, element, extra) {
  node.addEventListener("click", () => {
    if (node.getAttribute("aria-busy") !== "true") click(node, element, extra?.());
  });
  return node;
}

function buttonElement(element) {
  const style = element.style === "primary" || element.style === "danger" ? ` ${element.style}` : "";
  const label = element.accessibility_label ?? undefined;
  const url = element.url ? safeUrl(element.url) : null;
  if (url) {
    const anchor = h("a", { class: `button${style}`, href: url, target: "_blank", rel: "noopener noreferrer", "aria-label": label, title: url, onclick: followInside }, textObject(element.text));
    anchor.addEventListener("click", () => click(anchor, { ...element, confirm: undefined }));
    return anchor;
  }
  return press(h("button", { type: "button", class: `button${style}`, "aria-label": label }, textObject(element.text)), element);
}

function feedbackElement(element) {
  const one = (button, shape) => {
    const node = h("button", { type: "button", class: "button subtle", "aria-label": button?.accessibility_label, data: { actionId: element.action_id ?? "", value: button?.value ?? "" } }, icon(shape), textObject(button?.text));
    return press(node, element, () => ({ value: button?.value }));
  };
  return h("span", { class: "feedback", role: "group", "aria-label": "Feedback" }, one(element.positive_button, "up"), one(element.negative_button, "thumbdown"));
}

function iconButtonElement(element) {
  return press(h("button", { type: "button", class: "button subtle", "aria-label": element.accessibility_label ?? words(element.text) }, icon("trash"), textObject(element.text)), element);
}

function overflowElement(element, about) {
  const node = h("button", { type: "button", class: "button subtle icon-only", "aria-haspopup": "menu", "aria-label": about ? `More actions: ${about.slice(0, 60)}` : "More actions" }, icon("dots"));
  node.addEventListener("click", () => openMenu(node, (element.options ?? []).map((option) => ({
    label: words(option.text), detail: option.description ? words(option.description) : "", url: option.url,
    run: () => click(node, element, { value: option.value, selected_option: option }),
  }))));
  return node;
}

const allOptions = (element) => element.option_groups?.flatMap((group) => group.options ?? []) ?? element.options ?? [];
const optionNode = (option) => h("option", { value: option.value }, words(option.text));
const optionNodes = (element) => element.option_groups?.map((group) => h("optgroup", { label: words(group.label) }, (group.options ?? []).map(optionNode))) ?? (element.options ?? []).map(optionNode);
const people = () => [...world.users.values()].filter((user) => !user.deleted);
const peopleOptions = () => people().map((user) => h("option", { value: user.id }, user.real_name || user.name));
const channelOptions = () => [...world.channels.values()].filter((c) => !c.is_im).map((c) => h("option", { value: c.id }, `#${c.name}`));

/** A native select: it works with every keyboard, screen reader and phone. */
function selectElement(element, about, input, options, key) {
  const initial = element.initial_option?.value ?? element.initial_user ?? element.initial_conversation ?? element.initial_channel ?? "";
  const placeholder = words(element.placeholder) || "Choose…";
  const select = h("select", { class: "control", id: input?.id, "aria-label": input ? undefined : about || placeholder, required: input?.required }, h("option", { value: "" }, placeholder), options);
  select.value = initial;
  let before = select.value;
  const chosen = () => (key === "selected_option" ? allOptions(element).find((o) => o.value === select.value) ?? null : select.value || null);
  register(select, element, () => ({ [key]: chosen() }), (value) => (select.value = (typeof value?.[key] === "object" ? value[key]?.value : value?.[key]) ?? ""));
  if (!input || input.dispatch) {
    select.addEventListener("change", async () => {
      if (!select.value) return;
      const done = await click(select, element, { value: select.value, [key]: chosen() });
      if (done) before = select.value;
      else select.value = before;
    });
  }
  return select;
}

/** Radio buttons and checkboxes; several-choice selects are shown the same way. */
function choices(element, input, kind, options, initial, key) {
  const name = nextId("choice");
  const first = new Set((initial ?? []).map((option) => option.value));
  const boxes = options.map((option) => h("input", { type: kind, name, value: option.value, checked: first.has(option.value), id: nextId("option") }));
  const rows = options.map((option, i) => h("div", { class: "choice" }, boxes[i], h("label", { for: boxes[i].id }, textObject(option.text), option.description ? h("span", { class: "muted choice-detail" }, textObject(option.description)) : null)));
  const group = h("div", { class: `choices${element.type.startsWith("multi_") ? " boxed" : ""}`, role: kind === "radio" ? "radiogroup" : "group" }, rows);
  const chosen = () => options.filter((_, i) => boxes[i].checked);
  const value = () => (key === "selected_option" ? chosen()[0] ?? null : key === "selected_users" ? chosen().map((o) => o.value) : chosen());
  register(group, element, () => ({ [key]: value() }), (stored) => {
    const held = new Set([stored?.[key]].flat().map((o) => o?.value ?? o));
    boxes.forEach((box) => (box.checked = held.has(box.value)));
  });
  if (!input || input.dispatch) group.addEventListener("change", () => click(group, element, { value: chosen()[0]?.value, [key]: value() }));
  return group;
}

function textInput(element, about, input) {
  const long = element.type === "plain_text_input" && element.multiline;
  const type = { number_input: "text", email_text_input: "email", url_text_input: "url" }[element.type] ?? "text";
  const mode = element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : undefined;
  const control = h(long ? "textarea" : "input", {
    class: "control", id: input?.id, type: long ? undefined : type, rows: long ? 4 : undefined, inputmode: mode, autocomplete: "off", placeholder: words(element.placeholder) || undefined,
    "aria-label": input ? undefined : about || "Text", "aria-required": input?.required || undefined, value: element.initial_value ?? "", autofocus: element.focus_on_load || undefined,
  });
  register(control, element, () => ({ value: control.value === "" ? null : control.value }), (value) => (control.value = value?.value ?? ""), () => textProblem(element, control.value));
  if (!input || input.dispatch) control.addEventListener("change", () => click(control, element, { value: control.value }));
  return control;
}

function textProblem(element, value) {
  if (value === "") return null;
  const length = [...value].length;
  if (element.min_length && length < element.min_length) return WORDS.tooShort(element.min_length);
  if (element.max_length && length > element.max_length) return WORDS.tooLong(element.max_length);
  if (element.type !== "number_input") return null;
  const number = Number(value);
  if (!/^-?\d*\.?\d+$/.test(value.trim()) || (!element.is_decimal_allowed && !Number.isInteger(number))) return WORDS.notNumber;
  if (element.min_value !== undefined && number < Number(element.min_value)) return WORDS.atLeast(element.min_value);
  if (element.max_value !== undefined && number > Number(element.max_value)) return WORDS.atMost(element.max_value);
  return null;
}

function timeInput(element, about, input, type, initial, key) {
  const seconds = type === "datetime-local";
  const local = (at) => new Date(at * 1000 - new Date(at * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const control = h("input", { class: "control", id: input?.id, type, "aria-label": input ? undefined : about || type, "aria-required": input?.required || undefined, value: (seconds && initial ? local(initial) : initial) ?? "" });
  const value = () => (!control.value ? null : seconds ? Math.round(new Date(control.value).getTime() / 1000) : control.value);
  register(control, element, () => ({ [key]: value() }), (stored) => (control.value = (seconds && stored?.[key] ? local(stored[key]) : stored?.[key]) ?? ""));
  if (!input || input.dispatch) control.addEventListener("change", () => control.value && click(control, element, { value: value(), [key]: value() }));
  return control;
}

function register(node, element, read, write, check = () => null) {
  node.dataset.field = element.type;
  fields.set(node, { read: () => ({ type: element.type, ...read() }), write, check });
}

const fieldsIn = (root) => [...root.querySelectorAll("[data-field]")];

/** The state of a view, shaped as Slack shapes it: {block_id: {action_id: {type, …}}}. */
function collect(root) {
  const values = {};
  for (const node of fieldsIn(root)) {
    const block = node.closest("[data-block-id]").dataset.blockId;
    (values[block] ??= {})[node.dataset.actionId] = fields.get(node).read();
  }
  return values;
}

function restore(root, values) {
  for (const node of fieldsIn(root)) {
    const stored = values[node.closest("[data-block-id]").dataset.blockId]?.[node.dataset.actionId];
    if (stored && stored.type === node.dataset.field) fields.get(node).write(stored);
  }
}

/* ── Menus, dialogs, toasts ───────────────────────────────────────────────────────────────────────────────────── */

function openMenu(anchor, items) {
  const menu = h("div", { class: "menu", role: "menu", popover: "auto" });
  const run = (item) => {
    menu.hidePopover();
    if (item.url && safeUrl(item.url)) window.open(safeUrl(item.url), "_blank", "noopener");
    item.run();
  };
  put(menu, items.map((item) => h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => run(item) }, item.picture ?? null, h("span", {}, plainWithEmoji(item.label), item.detail ? h("span", { class: "muted choice-detail" }, item.detail) : null))));
  menu.addEventListener("toggle", (event) => {
    anchor.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed") menu.remove();
  });
  menu.addEventListener("keydown", (event) => {
    const all = [...menu.children];
    const at = all.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (event.key === "Escape") event.stopPropagation();
    if (next === undefined) return;
    event.preventDefault();
    all.at(next % all.length).focus();
  });
  (anchor.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  const at = anchor.getBoundingClientRect();
  const top = at.bottom + menu.offsetHeight + 8 > innerHeight ? at.top - menu.offsetHeight - 4 : at.bottom + 4;
  menu.style.setProperty("left", `${Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8))}px`);
  menu.style.setProperty("top", `${Math.max(8, top)}px`);
  menu.firstElementChild?.focus();
}

const FOCUSABLE = 'button:not([disabled]), a[href], input:not([disabled]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex="0"]';

/** A native modal dialog already makes the rest inert; this keeps Tab inside it instead of leaving for the browser's own buttons. */
function trapFocus(dialog) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const all = [...dialog.querySelectorAll(FOCUSABLE)].filter((e) => e.offsetParent !== null || e.getClientRects().length);
    const edge = event.shiftKey ? all[0] : all.at(-1);
    if (all.length && (document.activeElement === edge || !dialog.contains(document.activeElement) || document.activeElement === dialog)) {
      event.preventDefault();
      (event.shiftKey ? all.at(-1) : all[0]).focus();
    }
  });
}

/** Slack's confirm dialog; resolves to whether the person agreed. */
function askConfirm(confirm, opener) {
  const dialog = $("confirm");
  return new Promise((resolve) => {
    const close = (answer) => () => dialog.close(answer);
    const style = confirm.style === "danger" ? "button danger" : "button primary";
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, textObject(confirm.title)),
      h("div", { id: "confirm-text", class: "text" }, textObject(confirm.text)),
      h("footer", {}, h("button", { type: "button", class: "button", id: "confirm-deny", onclick: close("no") }, words(confirm.deny) || "Cancel"), h("button", { type: "button", class: style, id: "confirm-yes", onclick: close("yes") }, words(confirm.confirm) || "Yes")),
    );
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      if (opener?.isConnected) opener.focus({ preventScroll: true });
    }, { once: true });
    dialog.showModal();
    $("confirm-yes").focus();
  });
}

function toast(text) {
  const note = h("div", { class: "toast" }, h("span", {}, plain(text)), h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: () => note.remove() }, icon("close")));
  $("toasts").append(note);
  setTimeout(() => note.remove(), 9000);
}

function announce(text) {
  $("announcer").textContent = "";
  requestAnimationFrame(() => ($("announcer").textContent = text));
}

/* ── Modals ───────────────────────────────────────────────────────────────────────────────────────────────────── */

const viewDrafts = new Map();
let modalOpener = null;

function renderModal() {
  const dialog = $("modal");
  const top = world.modals.filter((m) => m.user === me.user).at(-1)?.view;
  if (!top) {
    delete dialog.dataset.viewId;
    if (dialog.open) dialog.close();
    return;
  }
  if (dialog.dataset.viewId !== top.id) buildModal(dialog, top);
  $("modal-title").replaceChildren(...textObject(top.title));
  const body = $("modal-blocks");
  const values = collect(dialog);
  reconcileBlocks(body, top.blocks ?? [], top.id, me.user);
  restore(dialog, Object.keys(values).length ? values : viewDrafts.get(top.id) ?? {});
  const submit = $("modal-submit");
  submit.hidden = !top.submit && !(top.blocks ?? []).some((b) => b.type === "input");
  submit.textContent = words(top.submit) || "Submit";
  $("modal-close").textContent = words(top.close) || "Cancel";
  if (!dialog.open) {
    modalOpener = document.activeElement;
    dialog.showModal();
    const first = dialog.querySelector("[autofocus], .modal-body input, .modal-body textarea, .modal-body select") ?? $("modal-close");
    first.focus();
  }
}

function buildModal(dialog, view) {
  dialog.dataset.viewId = view.id;
  const close = () => closeModal(view.id);
  dialog.replaceChildren(h("form", { novalidate: true, onsubmit: submitModal },
    h("header", { class: "pane-head" }, h("div", { class: "pane-words" }, h("h2", { id: "modal-title" })), h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, icon("close"))),
    h("div", { class: "modal-body scroller" }, h("p", { id: "modal-error", class: "field-error", role: "alert", hidden: true }), h("div", { id: "modal-blocks", class: "blocks" })),
    h("footer", {}, h("button", { type: "button", class: "button", id: "modal-close", onclick: close }), h("button", { type: "submit", class: "button primary", id: "modal-submit" })),
  ));
}

async function closeModal(view_id) {
  const answer = await act({ do: "close", view_id });
  if (!answer.ok) return modalError(answer.error);
  viewDrafts.delete(view_id);
  return forgetModal(me.user, view_id);
}

function forgetModal(user, view_id) {
  world.modals = world.modals.filter((m) => m.user !== user || m.view.id !== view_id);
  renderModal();
}

function modalError(text) {
  const line = $("modal-error");
  if (!line) return toast(text);
  line.hidden = !text;
  line.textContent = text;
  return undefined;
}

async function submitModal(event) {
  event.preventDefault();
  const dialog = $("modal");
  const submit = $("modal-submit");
  if (submit.getAttribute("aria-busy") === "true") return;
  clearErrors(dialog);
  const problems = checkFields(dialog);
  if (Object.keys(problems).length) {
    showErrors(problems);
    return;
  }
  const view_id = dialog.dataset.viewId;
  submit.setAttribute("aria-busy", "true");
  const answer = await act({ do: "submit", view_id, values: collect(dialog) });
  submit.removeAttribute("aria-busy");
  if (!answer.ok && dialog.dataset.viewId === view_id) modalError(answer.error);
}

function checkFields(root) {
  const problems = {};
  for (const node of fieldsIn(root)) {
    const block = node.closest("[data-block-id]");
    if (!block.classList.contains("block-input")) continue;
    const { type, ...value } = fields.get(node).read();
    const empty = Object.values(value).every((v) => v === null || v === "" || (Array.isArray(v) && !v.length));
    const problem = empty ? (block.dataset.optional === "true" ? null : WORDS.required) : fields.get(node).check();
    if (problem) problems[block.dataset.blockId] = problem;
  }
  return problems;
}

function clearErrors(root) {
  modalError("");
  for (const line of root.querySelectorAll(".block .field-error")) line.hidden = true;
  for (const node of root.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
}

/** Errors stand at their fields; one for a block that is not there is shown at the top instead. */
function showErrors(errors) {
  const dialog = $("modal");
  clearErrors(dialog);
  const lost = [];
  let first = null;
  for (const [id, text] of Object.entries(errors)) {
    const block = [...dialog.querySelectorAll(".block")].find((b) => b.dataset.blockId === id);
    const line = block?.querySelector(".field-error");
    if (!line) {
      lost.push(text);
      continue;
    }
    line.hidden = false;
    line.textContent = text;
    const node = block.querySelector("[data-field]");
    node?.setAttribute("aria-invalid", "true");
    first ??= node?.matches(FOCUSABLE) ? node : node?.querySelector(FOCUSABLE);
  }
  modalError(lost.join(" ") || (Object.keys(errors).length > 1 ? WORDS.fixFields : ""));
  first?.focus();
}

/* ── What the server says: the world, and who I am in it ──────────────────────────────────────────────────────── */

const byTs = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const world = {
  team: {}, bot: {}, users: new Map(), groups: new Map(), channels: new Map(), messages: new Map(), canvases: new Map(), files: new Map(), homes: new Map(), modals: [], statuses: new Map(), unread: new Set(),
  command: { name: "/runbook", usage_hint: "" }, connected: false, note: "", loaded: false, epoch: 0,

  load(state) {
    const index = (list) => new Map((list ?? []).map((item) => [item.id, item]));
    Object.assign(this, { team: state.team ?? {}, bot: state.bot ?? {}, command: state.command ?? this.command, connected: Boolean(state.connected), note: state.note ?? "", modals: state.modals ?? [] });
    Object.assign(this, { users: index(state.users), groups: index(state.usergroups), channels: index(state.channels), canvases: index(state.canvases), files: index(state.files), homes: new Map(Object.entries(state.homes ?? {})) });
    const notices = this.localNotices();
    this.messages = new Map();
    for (const [channel, list] of Object.entries(state.messages ?? {})) for (const message of list) this.put(channel, message);
    for (const [channel, message] of notices) this.put(channel, message);
    this.statuses = new Map();
    for (const status of state.statuses ?? []) this.setStatus(status);
    this.loaded = true;
    this.epoch += 1;
  },

  localNotices() {
    return [...this.messages].flatMap(([channel, box]) => [...box.values()].filter((m) => m.local).map((m) => [channel, m]));
  },

  box(channel) {
    if (!this.messages.has(channel)) this.messages.set(channel, new Map());
    return this.messages.get(channel);
  },

  /** Keeps each channel in the order of its timestamps. Returns what was there before under the same ts. */
  put(channel, message) {
    const box = this.box(channel);
    const before = box.get(message.ts);
    box.set(message.ts, message);
    if (box.last && byTs(box.last, message.ts) > 0) {
      if (!before) this.messages.set(channel, Object.assign(new Map([...box].sort(([a], [b]) => byTs(a, b))), { last: box.last }));
    } else box.last = message.ts;
    return before;
  },

  message(channel, ts) {
    return this.messages.get(channel)?.get(ts);
  },

  setStatus({ channel, thread_ts, status }) {
    if (status) this.statuses.set(`${channel}/${thread_ts}`, status);
    else this.statuses.delete(`${channel}/${thread_ts}`);
  },

  statusOf(channel, thread) {
    const status = this.statuses.get(`${channel}/${thread}`);
    if (!status) return "";
    const name = this.bot.name ?? "The app";
    return status.toLowerCase().startsWith(name.toLowerCase()) ? status : `${name} ${status}`;
  },

  isBot(message) {
    return Boolean(message.bot_id) || message.user === this.bot.user_id;
  },

  nameOf(id) {
    if (id === this.bot.user_id) return this.bot.name;
    const user = this.users.get(id);
    return user ? user.real_name || user.name : id;
  },

  handleOf(user) {
    return /^[\w.-]+$/.test(user.name ?? "") ? user.name : (user.real_name ?? user.id).replace(/\W+/g, "").toLowerCase();
  },

  title(id) {
    return this.users.get(id)?.title || undefined;
  },

  /** What someone may be here, in one word, besides their title. */
  roleOf(user) {
    if (user.is_restricted) return "Guest";
    const groups = [...this.groups.values()].filter((group) => group.users?.includes(user.id));
    if (groups.some((group) => /approv/i.test(`${group.handle} ${group.name}`))) return "Approver";
    return groups[0] ? `@${groups[0].handle.replace(/^@/, "")}` : "";
  },

  labelOf(channel) {
    if (!channel) return "…";
    if (!channel.is_im) return channel.name;
    return channel.user === me.user ? this.bot.name : `${this.bot.name}, ${this.nameOf(channel.user)}`;
  },

  mine(channel) {
    return [...this.box(channel).values()].filter((m) => !m.ephemeral_to || m.ephemeral_to === me.user);
  },
};

const stored = {
  get: (key) => {
    try { return localStorage.getItem(key); } catch { return null; }
  },
  set: (key, value) => {
    try { localStorage.setItem(key, value); } catch { /* Storage may be forbidden; then the choice lasts as long as the page. */ }
  },
};
const me = { user: stored.get("acting-as") };
const place = { channel: null, thread: null, home: false, awaited: null };
const isHead = (message) => message.metadata?.event_type === "runbook_investigation" && (!message.thread_ts || message.thread_ts === message.ts);
const isTop = (message) => !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";
const wide = matchMedia("(min-width: 1000px)");

async function act(body) {
  try {
    const response = await fetch("/act", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: me.user, ...body }) });
    const answer = await response.json().catch(() => ({}));
    return answer.ok ? answer : { ok: false, error: answer.error ?? `The playground answered with status ${response.status}.` };
  } catch {
    return { ok: false, error: WORDS.noAnswer };
  }
}

/* ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────── */

const initials = (name) => String(name ?? "?").split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((part) => [...part][0].toUpperCase()).join("");

function avatar(message) {
  if (message.local) return h("span", { class: "avatar avatar-system", "aria-hidden": "true" }, icon("message"));
  if (world.isBot(message)) return h("span", { class: "avatar avatar-bot", "aria-hidden": "true" }, botMark());
  return personMark(message.user);
}

const botMark = () => s("svg", { viewBox: "0 0 20 20", class: "bot-mark" }, s("circle", { cx: 8.6, cy: 8.6, r: 4.2 }), s("path", { d: "M12 12l4 4" }));

function personMark(id) {
  const user = world.users.get(id);
  const colour = /^#?[0-9a-f]{6}$/i.test(user?.color ?? "") ? `#${user.color.replace("#", "")}` : null;
  return h("span", { class: "avatar", "aria-hidden": "true", style: colour ? { "--tile": colour } : {} }, initials(world.nameOf(id)));
}

function authorOf(message) {
  if (message.username) return message.username;
  return world.isBot(message) ? world.bot.name : world.nameOf(message.user);
}

/** One message in one list. Its parts are brought up to date in place. */
class Row {
  constructor(list, message) {
    this.blocks = h("div", { class: "blocks" });
    this.top = h("div", { class: "message-top" });
    this.head = h("header", { class: "message-head" });
    this.foot = h("div", { class: "message-foot" });
    this.gutter = h("div", { class: "gutter" });
    this.element = h("article", { class: "message", tabindex: "-1", data: { ts: message.ts } }, this.top, this.gutter, h("div", { class: "message-body" }, this.head, this.blocks, this.foot));
    this.list = list;
    this.seen = {};
  }

  /** Returns whether what a reader sees of the message itself changed. `around` is what depends on its neighbours. */
  update(message, around) {
    const { element } = this;
    const content = JSON.stringify([message.text, message.blocks, message.attachments, message.files]);
    const changed = this.content !== undefined && this.content !== content;
    this.content = content;
    element.dataset.channel = around.channel;
    element.setAttribute("aria-label", `${authorOf(message)}, ${clock.format(moment(message.ts))}`);
    element.classList.toggle("compact", around.compact);
    element.classList.toggle("ephemeral", Boolean(message.ephemeral_to));
    this.label(message);
    if (this.fresh("content", content + world.epoch)) {
      // From the first edit on, assistive technology hears of state changes through the announcer only.
      if (changed) element.setAttribute("aria-live", "off");
      this.draw(message, around.channel);
    }
    if (this.fresh("head", JSON.stringify([message.edited, message.username, message.user, around.compact, around.above, world.epoch]))) this.drawHead(message, around);
    if (this.fresh("foot", JSON.stringify([message.reactions, around.replies, around.status, world.epoch]))) this.drawFoot(message, around);
    return changed;
  }

  fresh(part, signature) {
    if (this.seen[part] === signature) return false;
    this.seen[part] = signature;
    return true;
  }

  /** Metadata as data attributes, so that programs (and the colour of the margin) can find a hypothesis. */
  label(message) {
    const { event_type: type, event_payload: payload } = message.metadata ?? {};
    const { dataset } = this.element;
    if (!type) return;
    dataset.eventType = type;
    const state = String(payload?.state ?? payload?.status ?? "");
    if (dataset.state && state && dataset.state !== state) announce(`${payload.id ?? "Investigation"}: ${state}`);
    if (state) dataset.state = state;
    if (type === "runbook_hypothesis" && payload?.id) dataset.hypothesis = payload.id;
  }

  draw(message, channel) {
    const owner = `${channel}/${message.ts}`;
    const blocks = message.blocks?.length ? message.blocks : message.text ? [{ type: "section", block_id: "", text: { type: "mrkdwn", text: message.text } }] : [];
    const attached = (message.attachments ?? []).map((attachment) => ({ type: "attachment", attachment }));
    const files = (message.files ?? []).map((file) => ({ type: "shared_file", file }));
    reconcileBlocks(this.blocks, [...blocks, ...attached, ...files], owner, world.epoch);
  }

  drawHead(message, around) {
    const when = moment(message.ts);
    const time = h("time", { datetime: when.toISOString(), title: utc(when) }, clock.format(when));
    const edited = message.edited ? h("span", { class: "edited muted", title: message.edited.ts ? `Edited ${utc(moment(message.edited.ts))}` : undefined }, "(edited)") : null;
    this.gutter.replaceChildren(around.compact ? time : avatar(message));
    const only = message.ephemeral_to ? h("span", { class: "only-you" }, icon("eye"), WORDS.onlyYou) : null;
    this.top.replaceChildren(...[only, around.above].filter(Boolean).map((part) => (part instanceof Node ? part : this.aboveLine(part))));
    this.head.replaceChildren(...(around.compact ? [edited] : [h("span", { class: "author" }, authorOf(message)), world.isBot(message) ? h("span", { class: "badge" }, "App") : null, time, edited]).filter(Boolean));
  }

  aboveLine({ text, thread }) {
    return thread ? h("button", { type: "button", class: "above", onclick: () => goTo(this.element.dataset.channel, thread) }, text) : h("span", { class: "above" }, text);
  }

  drawFoot(message, around) {
    const held = this.foot.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    const pills = (message.reactions ?? []).map((reaction) => {
      const mine = reaction.users?.includes(me.user);
      const react = (event) => busy(event.currentTarget, () => act({ do: "reaction", channel: around.channel, message_ts: message.ts, name: reaction.name }));
      return h("button", { type: "button", class: `pill${mine ? " mine" : ""}`, "aria-pressed": String(Boolean(mine)), "aria-label": `${reaction.name.replaceAll("_", " ")}, ${reaction.users?.length ?? 1}`, title: (reaction.users ?? []).map((u) => world.nameOf(u)).join(", "), data: { part: reaction.name }, onclick: react }, emoji(reaction.name) ?? `:${reaction.name}:`, h("span", {}, String(reaction.users?.length ?? 1)));
    });
    const replies = around.replies?.count ? h("button", { type: "button", class: "replies", data: { part: "replies" }, onclick: () => goTo(around.channel, message.ts, true) },
      h("span", { class: "faces" }, around.replies.users.slice(0, 3).map((u) => (u === "bot" ? h("span", { class: "avatar avatar-bot", "aria-hidden": "true" }, botMark()) : personMark(u)))),
      h("strong", {}, around.replies.count === 1 ? "1 reply" : `${around.replies.count} replies`), h("span", { class: "muted" }, `Last at ${clock.format(moment(around.replies.last))}`)) : null;
    const status = around.status ? h("p", { class: "status-line" }, h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), around.status) : null;
    this.foot.replaceChildren(...[pills.length ? h("div", { class: "pills" }, pills) : null, replies, status].filter(Boolean));
    if (held) [...this.foot.children, ...this.foot.querySelectorAll("[data-part]")].find((e) => e.dataset?.part === held)?.focus({ preventScroll: true });
  }

  flash() {
    this.element.classList.add("changed");
    clearTimeout(this.fading);
    this.fading = setTimeout(() => this.element.classList.remove("changed"), 1200);
  }
}

BLOCKS.attachment = attachmentBlock;
BLOCKS.shared_file = (block) => fileChip(typeof block.file === "string" ? { id: block.file } : block.file);

const NAMED_COLOURS = { good: "#2eb886", warning: "#daa038", danger: "#a30200" };

function attachmentBlock({ attachment: a }, owner, path) {
  const colour = NAMED_COLOURS[a.color] ?? (/^#?[0-9a-f]{6}$/i.test(a.color ?? "") ? `#${a.color.replace("#", "")}` : null);
  const inner = a.blocks?.length ? h("div", { class: "blocks" }, a.blocks.map((block, i) => renderBlock(block, owner, `${path}.${i}`))) : legacyAttachment(a);
  return h("div", { class: "attachment", style: colour ? { "--bar": colour } : {} }, a.pretext ? h("div", { class: "text" }, mrkdwn(a.pretext)) : null, inner);
}

function legacyAttachment(a) {
  const title = a.title ? h("strong", {}, a.title_link ? link(a.title_link, ...plain(unescape(a.title))) : plain(unescape(a.title))) : null;
  const grid = (a.fields ?? []).map((field) => h("div", { class: "field" }, h("strong", {}, field.title ?? ""), h("div", {}, mrkdwn(field.value))));
  return h("div", { class: "blocks" }, title, a.text ? h("div", { class: "text" }, mrkdwn(a.text)) : null, grid.length ? h("div", { class: "fields" }, grid) : null, a.footer ? h("div", { class: "muted" }, plain(unescape(a.footer))) : null, !title && !a.text && !grid.length ? h("div", {}, plain(a.fallback ?? "")) : null);
}

function fileChip(given) {
  const file = { ...given, ...world.files.get(given.id) };
  if (file.mimetype?.startsWith("image/")) return h("figure", {}, h("figcaption", {}, file.title || file.name || ""), picture({ slack_file: { id: file.id }, alt_text: file.alt_txt || file.title || file.name }));
  const url = file.url && safeUrl(file.url);
  const body = [icon("canvas"), h("span", {}, h("strong", {}, file.title || file.name || file.id), h("span", { class: "muted choice-detail" }, file.mimetype ?? "File"))];
  return url ? h("a", { class: "file", href: url, target: "_blank", rel: "noopener" }, body) : h("div", { class: "file" }, body);
}

/** A scrolling list of messages: keyed rows, a window onto long histories, and a reader whose place is kept. */
class MessageList {
  constructor(box, thread) {
    Object.assign(this, { box, thread, rows: new Map(), key: null, from: null, stuck: true, top: 0 });
    this.content = h("div", { class: "message-list" });
    this.pill = h("button", { type: "button", class: "new-pill", hidden: true, onclick: () => this.toEnd() }, icon("down"), WORDS.newMessages);
    this.tools = new Tools(this);
    box.append(this.content, this.pill);
    box.addEventListener("scroll", () => this.noteScroll(), { passive: true });
    this.content.addEventListener("keydown", (event) => this.walk(event));
    const grown = new ResizeObserver(() => this.stuck && this.toEnd());
    grown.observe(this.content);
    grown.observe(box);
  }

  /** Only a reader scrolls up; a gap that opened because the content grew does not count as leaving the end. */
  noteScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    if (scrollHeight - scrollTop - clientHeight < 48) this.stuck = true;
    else if (scrollTop < this.top - 1) this.stuck = false;
    this.top = scrollTop;
    if (this.stuck) this.pill.hidden = true;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.stuck = true;
    this.pill.hidden = true;
  }

  /** `key` names the conversation; another key starts at the end, the same key keeps the reader's place. */
  show(key, messages, around) {
    const other = key !== this.key;
    if (other) {
      this.content.replaceChildren();
      this.rows.clear();
      Object.assign(this, { key, from: null, stuck: true });
      this.box.setAttribute("aria-busy", "true");
    }
    const shown = this.window(messages);
    const before = this.last;
    this.last = messages.at(-1)?.ts;
    this.keepPlace(() => this.sync(shown, messages.length - shown.length, around, other));
    if (other) requestAnimationFrame(() => this.box.setAttribute("aria-busy", "false"));
    else if (!this.stuck && this.last && before && byTs(this.last, before) > 0) this.pill.hidden = false;
  }

  window(messages) {
    if (messages.length <= PAGE_OF_MESSAGES) return messages;
    const newest = messages.at(-PAGE_OF_MESSAGES).ts;
    if (!this.from || (this.stuck && byTs(this.from, newest) < 0)) this.from = newest;
    return messages.slice(messages.findIndex((m) => byTs(m.ts, this.from) >= 0));
  }

  earlier() {
    const older = this.all().filter((m) => byTs(m.ts, this.from) < 0);
    this.from = (older.at(-PAGE_OF_MESSAGES) ?? older[0])?.ts ?? this.from;
    this.stuck = false;
    paint("messages");
  }

  all() {
    return this.thread ? threadMessages(place.channel, place.thread) : channelMessages(place.channel);
  }

  sync(messages, hidden, around, first) {
    const wanted = [];
    if (hidden > 0) wanted.push(this.keep("earlier", () => h("button", { type: "button", class: "button earlier", onclick: () => this.earlier() }, WORDS.earlier)));
    let previous = null;
    for (const message of messages) {
      const day = moment(message.ts).toDateString();
      if (!this.thread && day !== (previous && moment(previous.ts).toDateString())) wanted.push(this.keep(`day ${day}`, () => h("div", { class: "rule" }, h("span", {}, pretty(moment(message.ts), DAY.long).replace(/^./, (c) => c.toUpperCase())))));
      wanted.push(this.row(message, this.neighbours(message, previous, around), first));
      if (this.thread && message.ts === place.thread) wanted.push(this.replyRule(messages.length - 1 + hidden));
      previous = message;
    }
    if (!messages.length) wanted.push(this.keep("empty", () => this.invitation()));
    this.arrange(wanted);
  }

  /** What an empty channel says: how to begin, with the first command one press away. */
  invitation() {
    if (this.thread) return h("p", { class: "empty" }, WORDS.emptyThread);
    const { name } = world.command;
    const begin = () => composer.insert(`${name} investigate `, true);
    return h("div", { class: "empty" }, h("strong", {}, WORDS.emptyChannel), h("p", {}, WORDS.firstSteps(name)), h("button", { type: "button", class: "button", onclick: begin }, WORDS.firstCommand(name)));
  }

  keep(key, build) {
    if (!this.rows.has(key)) this.rows.set(key, { element: build() });
    return this.rows.get(key).element;
  }

  replyRule(count) {
    const rule = this.keep("replies", () => h("div", { class: "rule rule-left" }, h("span")));
    const label = count === 1 ? "1 reply" : `${count} replies`;
    if (rule.firstChild.textContent !== label) rule.firstChild.textContent = label;
    rule.hidden = !count;
    return rule;
  }

  neighbours(message, previous, around) {
    const broadcast = message.subtype === "thread_broadcast";
    const near = previous && previous.ts !== place.thread && Number(message.ts) - Number(previous.ts) < 300 && authorOf(previous) === authorOf(message) && Boolean(previous.local) === Boolean(message.local);
    const plainly = near && !broadcast && !message.ephemeral_to === !previous.ephemeral_to && moment(previous.ts).toDateString() === moment(message.ts).toDateString();
    const above = !broadcast ? null : this.thread ? { text: "Also sent to the channel" } : { text: `Replied to a thread: ${threadTitle(around.channel, message.thread_ts)}`, thread: message.thread_ts };
    const replies = this.thread ? null : around.replies.get(message.ts) ?? (message.reply_count ? { count: message.reply_count, users: ["bot"], last: message.latest_reply ?? message.ts } : null);
    return { channel: around.channel, compact: Boolean(plainly) && !isHead(message), above, replies, status: this.thread ? "" : world.statusOf(around.channel, message.ts) };
  }

  row(message, around, first) {
    let row = this.rows.get(message.ts);
    if (!row) {
      row = new Row(this, message);
      this.rows.set(message.ts, row);
    }
    if (row.update(message, around) && !first) row.flash();
    return row.element;
  }

  arrange(wanted) {
    const staying = new Set(wanted);
    for (const [key, row] of this.rows) {
      if (staying.has(row.element)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    wanted.forEach((element, i) => {
      if (this.content.children[i] !== element) this.content.insertBefore(element, this.content.children[i] ?? null);
    });
    const articles = [...this.content.querySelectorAll(".message")];
    if (!articles.some((a) => a.tabIndex === 0)) articles.at(-1)?.setAttribute("tabindex", "0");
  }

  keepPlace(change) {
    const { box } = this;
    const edge = box.getBoundingClientRect().top;
    const anchor = this.stuck ? null : [...this.content.children].find((e) => e.getBoundingClientRect().bottom > edge);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (this.stuck) this.toEnd();
    else if (anchor?.isConnected) box.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  reveal(ts) {
    const row = this.rows.get(ts);
    if (!row?.element.isConnected) return false;
    this.stuck = false;
    row.element.scrollIntoView({ block: "center" });
    row.flash?.();
    return true;
  }

  /** Arrow keys walk the messages, Enter opens the thread. */
  walk(event) {
    const at = event.target;
    if (!at.matches?.(".message") || event.altKey || event.ctrlKey || event.metaKey) return;
    const articles = [...this.content.querySelectorAll(".message")];
    const i = articles.indexOf(at);
    const next = { ArrowUp: articles[i - 1], ArrowDown: articles[i + 1], Home: articles[0], End: articles.at(-1) }[event.key];
    if (event.key === "Enter" && !this.thread) goTo(place.channel, world.message(place.channel, at.dataset.ts)?.thread_ts ?? at.dataset.ts, true);
    else if (next) {
      at.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else return;
    event.preventDefault();
  }
}

/** The small toolbar of the message under the pointer or the focus; one per list, so that Tab stays short. */
class Tools {
  constructor(list) {
    this.bar = h("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" });
    const show = (event) => {
      const article = event.target.closest?.(".message");
      if (!article || article.contains(this.bar)) return;
      const message = world.message(article.dataset.channel, article.dataset.ts);
      if (!message || message.local || message.ephemeral_to) return;
      this.fill(message, article.dataset.channel, list.thread);
      article.append(this.bar);
    };
    list.content.addEventListener("pointerover", show);
    list.content.addEventListener("focusin", show);
    list.content.addEventListener("pointerleave", () => !this.bar.matches(":focus-within") && this.bar.remove());
  }

  fill(message, channel, inThread) {
    const tool = (label, shape, run) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: run }, icon(shape));
    const react = (event) => openMenu(event.currentTarget, QUICK_REACTIONS.map((name) => ({ label: name.replaceAll("_", " "), picture: emoji(name), run: async () => {
      const answer = await act({ do: "reaction", channel, message_ts: message.ts, name });
      if (!answer.ok) toast(answer.error);
    } })));
    const shortcut = async () => {
      const answer = await act({ do: "shortcut", callback_id: SHORTCUTS.message.callback_id, channel, message_ts: message.ts });
      if (!answer.ok) toast(answer.error);
    };
    this.bar.replaceChildren(tool("Add a reaction", "smile", react), inThread ? "" : tool("Reply in thread", "reply", () => goTo(channel, message.thread_ts ?? message.ts, true)), tool(SHORTCUTS.message.name, "bolt", shortcut));
  }
}

const threadMessages = (channel, root) => world.mine(channel).filter((m) => m.ts === root || m.thread_ts === root);
const channelMessages = (channel) => world.mine(channel).filter(isTop);

function threadTitle(channel, ts) {
  const head = world.message(channel, ts);
  const text = unescape(head?.text ?? "").replace(/<[^>|]*\|([^>]*)>/g, "$1").replace(/:[a-z0-9_+-]+:/g, "").replace(/[*_~`]/g, "").trim();
  return text.length > 90 ? `${[...text].slice(0, 88).join("")}…` : text || "a message";
}

function repliesIn(channel) {
  const found = new Map();
  for (const message of world.mine(channel)) {
    if (!message.thread_ts || message.thread_ts === message.ts || message.ephemeral_to) continue;
    const entry = found.get(message.thread_ts) ?? { count: 0, users: [], last: message.ts };
    entry.count += 1;
    entry.last = message.ts;
    const who = world.isBot(message) ? "bot" : message.user;
    if (!entry.users.includes(who)) entry.users.push(who);
    found.set(message.thread_ts, entry);
  }
  return found;
}

/* ── The composer ─────────────────────────────────────────────────────────────────────────────────────────────── */

const drafts = new Map();

/** Typed text as Slack sends it: three characters escaped, names turned into ids, web addresses in brackets. */
function encode(text, forCommand) {
  const parts = text.split(/(https?:\/\/[^\s<>]+|[@#][\w.-]+)/);
  return parts.map((part, i) => {
    if (i % 2 === 0) return escape(part);
    if (part.startsWith("http")) {
      const [, url, rest] = part.match(/^(.*?)([.,;:!?)\]'"]*)$/);
      return forCommand ? escape(part) : `<${escape(url)}>${rest}`;
    }
    return /[\w.]$/.test(parts[i - 1]) ? part : mentionCode(part, forCommand);
  }).join("");
}

function mentionCode(part, forCommand) {
  const found = part.match(/^(.)(.*?)([.-]*)$/);
  const [name, rest] = [found[2].toLowerCase(), found[3]];
  if (found[1] === "#") {
    const channel = [...world.channels.values()].find((c) => !c.is_im && c.name === name);
    return channel ? `<#${channel.id}${forCommand ? `|${channel.name}` : ""}>${rest}` : part;
  }
  if (/^(here|channel|everyone)$/.test(name)) return `<!${name}>${rest}`;
  const target = mentionable().find((m) => m.handle.toLowerCase() === name);
  return target ? `<${target.code}${forCommand ? `|${target.handle}` : ""}>${rest}` : part;
}

function mentionable() {
  const users = people().filter((u) => u.id !== world.bot.user_id).map((u) => ({ handle: world.handleOf(u), name: u.real_name || u.name, code: `@${u.id}` }));
  const groups = [...world.groups.values()].map((g) => ({ handle: g.handle.replace(/^@/, ""), name: g.name, code: `!subteam^${g.id}` }));
  return [{ handle: world.bot.name ?? "runbook", name: "App", code: `@${world.bot.user_id}` }, ...users, ...groups];
}

const verbs = () => world.command.usage_hint?.split("|").map((part) => part.trim()).filter(Boolean) ?? [];

class Composer {
  constructor(form, id, thread) {
    this.thread = thread;
    this.list = h("ul", { class: "suggestions", role: "listbox", id: `${id}-suggestions`, "aria-label": "Suggestions", hidden: true });
    this.input = h("textarea", { id, rows: "1", "aria-autocomplete": "list", "aria-controls": `${id}-suggestions`, "aria-expanded": "false", role: "combobox", "aria-haspopup": "listbox", "aria-multiline": "true", autocomplete: "off", spellcheck: "true", "aria-describedby": `${id}-hint` });
    this.hint = h("p", { class: "composer-hint muted", id: `${id}-hint` });
    this.problem = h("p", { class: "composer-problem", role: "alert", hidden: true });
    this.send = h("button", { type: "submit", class: "button primary send", "aria-label": "Send" }, icon("send"));
    const tool = (label, shape, run) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: run }, icon(shape));
    const bar = h("div", { class: "composer-bar" }, thread ? null : tool(`Type ${world.command.name}`, "slash", () => this.insert(`${world.command.name} `, true)), tool("Mention the app", "at", () => this.insert(`@${world.bot.name} `)), thread ? null : tool(SHORTCUTS.global.name, "bolt", () => this.shortcut()), this.hint, this.send);
    form.replaceChildren(this.list, h("div", { class: "composer-box" }, this.input, bar), this.problem);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.suggest([]), 150));
  }

  get where() {
    return `${me.user}/${place.channel}/${this.thread ? place.thread : ""}`;
  }

  /** Takes up the draft of the place the page now shows. */
  moveTo(label) {
    this.input.setAttribute("aria-label", label);
    this.input.placeholder = label;
    if (this.shown === this.where) return;
    this.shown = this.where;
    this.input.value = drafts.get(this.where) ?? "";
    this.complain("");
    this.changed();
  }

  insert(text, replace = false) {
    const { input } = this;
    if (replace) input.value = input.value.startsWith(text.trim()) ? input.value : text + input.value;
    else input.setRangeText(text, input.selectionStart, input.selectionEnd, "end");
    input.focus();
    if (replace) input.setSelectionRange(input.value.length, input.value.length);
    this.changed();
  }

  changed() {
    const { input } = this;
    drafts.set(this.where, input.value);
    this.complain("");
    input.style.setProperty("height", "auto");
    input.style.setProperty("height", `${Math.min(input.scrollHeight, 200)}px`);
    this.send.disabled = !input.value.trim();
    const command = input.value.startsWith("/");
    this.hint.textContent = command && !this.thread ? `${world.command.name} ${world.command.usage_hint ?? ""}` : input.value ? "Enter to send, Shift+Enter for a new line" : "";
    this.suggest(document.activeElement === input ? this.suggestions() : []);
  }

  suggestions() {
    const { input } = this;
    const typed = input.value.slice(0, input.selectionStart);
    const { name } = world.command;
    if (!this.thread && /^\/\S*$/.test(typed) && name.startsWith(typed) && input.value === typed) return [{ label: name, detail: world.command.usage_hint, text: `${name} `, from: 0, eager: typed !== name }];
    const verb = typed.match(/^\/\S+ ([a-z]*)$/);
    if (!this.thread && verb && input.value === typed) return verbs().filter((v) => v.startsWith(verb[1]) && v.split(" ")[0] !== verb[1]).map((v) => ({ label: v.split(" ")[0], detail: v.split(" ").slice(1).join(" "), text: `${v.split(" ")[0]} `, from: typed.length - verb[1].length, eager: false }));
    const mention = typed.match(/(?:^|[\s(])@([\w.-]*)$/);
    if (!mention) return [];
    const needle = mention[1].toLowerCase();
    const found = mentionable().filter((m) => m.handle.toLowerCase().startsWith(needle) || m.name?.toLowerCase().split(/\s+/).some((w) => w.startsWith(needle)));
    if (found.some((m) => m.handle.toLowerCase() === needle)) return [];
    return found.slice(0, 7).map((m) => ({ label: `@${m.handle}`, detail: m.name, text: `@${m.handle} `, from: typed.length - needle.length - 1, eager: true }));
  }

  suggest(items) {
    this.items = items;
    this.active = items[0]?.eager ? 0 : -1;
    this.list.hidden = !items.length;
    this.input.setAttribute("aria-expanded", String(items.length > 0));
    this.list.replaceChildren(...items.map((item, i) => h("li", { role: "option", id: `${this.list.id}-${i}`, onpointerdown: (event) => { event.preventDefault(); this.pick(i); } }, h("strong", {}, item.label), h("span", { class: "muted" }, item.detail ?? ""))));
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === this.active)));
    if (this.active >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
    this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
  }

  pick(i) {
    const { text, from } = this.items[i];
    this.input.setRangeText(text, from, this.input.selectionStart, "end");
    this.input.focus();
    this.changed();
  }

  key(event) {
    const open = this.items?.length > 0;
    if (event.isComposing) return;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      this.active = (this.active + (event.key === "ArrowDown" ? 1 : -1) + this.items.length) % this.items.length;
      this.mark();
    } else if (open && event.key === "Tab" && !event.shiftKey) this.pick(Math.max(0, this.active));
    else if (open && event.key === "Escape") {
      this.suggest([]);
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      if (open && this.active >= 0) this.pick(this.active);
      else this.submit();
    } else return;
    event.preventDefault();
  }

  complain(text) {
    this.problem.hidden = !text;
    this.problem.textContent = text;
  }

  async submit() {
    const text = this.input.value.trim();
    const slash = text.match(/^(\/[a-z][\w-]*)(?:\s+([\s\S]*))?$/i);
    if (!text) return;
    if (slash && this.thread) return void this.complain(WORDS.notInThread(slash[1]));
    if (slash && slash[1] !== world.command.name) return void this.complain(WORDS.unknownCommand(slash[1]));
    const { where } = this;
    const { channel, thread } = place;
    const body = slash ? { do: "command", channel, text: encode(slash[2] ?? "", true) } : { do: "message", channel, text: encode(text, false), ...(this.thread ? { thread_ts: thread } : {}) };
    this.input.value = "";
    this.changed();
    (this.thread ? threadList : channelList).toEnd();
    const answer = await act(body);
    if (answer.ok) return;
    // Nothing typed is lost: what was refused comes back, unless something new is being typed there.
    if (!drafts.get(where)) drafts.set(where, text);
    if (this.where === where && !this.input.value) {
      this.input.value = text;
      this.changed();
    }
    this.complain(answer.error);
  }

  async shortcut() {
    const answer = await act({ do: "shortcut", callback_id: SHORTCUTS.global.callback_id, channel: place.channel });
    if (!answer.ok) toast(answer.error);
  }
}

/* ── The rail: places, people, theme ──────────────────────────────────────────────────────────────────────────── */

/** The app's direct channel with the person who acts; it comes into being when first looked at. */
async function openDirect() {
  const answer = await act({ do: "home", tab: "messages" });
  if (!answer.ok) toast(answer.error);
  else if (!world.channels.has(answer.channel)) place.awaited = answer.channel;
  else goTo(answer.channel);
}

function renderRail() {
  $("team-name").textContent = world.team.name ?? "Workspace";
  $("team-mark").textContent = initials(world.team.name ?? "W").slice(0, 1);
  const channels = [...world.channels.values()].filter((c) => !c.is_im);
  const direct = [...world.channels.values()].find((c) => c.is_im && c.user === me.user);
  const here = (id) => !place.home && place.channel === id;
  const item = (shape, label, current, run, unread = false) => h("li", {}, h("button", { type: "button", class: `place${unread ? " unread" : ""}`, "aria-current": current ? "page" : undefined, onclick: run }, shape, h("span", { class: "ellipsis" }, label), unread ? h("span", { class: "sr" }, "unread") : null));
  const group = (title, items) => (items.length ? [h("h2", { class: "rail-title" }, title), h("ul", {}, items)] : []);
  const held = $("places").contains(document.activeElement) ? [...$("places").querySelectorAll("button")].indexOf(document.activeElement) : -1;
  $("places").replaceChildren(
    ...group("Channels", channels.map((c) => item(icon("hash"), c.name, here(c.id), () => goTo(c.id), world.unread.has(c.id)))),
    ...group("Apps", [item(icon("message"), `${world.bot.name ?? "App"}, direct`, Boolean(direct) && here(direct.id), () => (direct ? goTo(direct.id) : openDirect()), Boolean(direct) && world.unread.has(direct.id)), item(icon("home"), "App Home", place.home, () => goHome())]),
    ...group("Canvases", [...world.canvases.values()].map((c) => item(icon("canvas"), c.title || "Untitled", false, () => openCanvas(c.id)))),
  );
  if (held >= 0) $("places").querySelectorAll("button")[held]?.focus();
}

function renderPeople() {
  const box = $("acting-as");
  const users = people().filter((u) => !u.is_bot && u.id !== world.bot.user_id);
  if (!users.some((u) => u.id === me.user)) me.user = users[0]?.id ?? null;
  box.dataset.user = me.user ?? "";
  const held = box.contains(document.activeElement);
  box.replaceChildren(...users.map((user) => {
    const role = world.roleOf(user);
    const name = user.real_name || user.name;
    const mine = user.id === me.user;
    return h("button", { type: "button", role: "radio", "aria-checked": String(mine), tabindex: mine ? "0" : "-1", data: { user: user.id }, class: "person", title: [name, user.title, role].filter(Boolean).join(" · "), "aria-label": [name, user.title, role].filter(Boolean).join(", "), onclick: () => actAs(user.id) },
      personMark(user.id), h("span", { class: "person-words" }, h("span", { class: "person-name ellipsis" }, name), h("span", { class: "person-title ellipsis" }, user.title ?? "")), role ? h("span", { class: `role role-${role.toLowerCase().replace(/\W/g, "")}` }, role) : null);
  }));
  if (held) box.querySelector('[aria-checked="true"]')?.focus();
}

function actAs(user) {
  if (user === me.user) return;
  me.user = user;
  stored.set("acting-as", user);
  world.epoch += 1;
  if (place.home) act({ do: "home" });
  const channel = world.channels.get(place.channel);
  if (channel?.is_im && channel.user !== user) {
    const own = [...world.channels.values()].find((c) => c.is_im && c.user === user);
    goTo(own?.id ?? [...world.channels.values()].find((c) => !c.is_im)?.id);
  }
  paint("people", "rail", "messages", "modal", "home");
}

function walkPeople(event) {
  const all = [...$("acting-as").children];
  const at = all.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1 }[event.key];
  if (next === undefined || at < 0) return;
  event.preventDefault();
  const chosen = all.at(next % all.length);
  chosen.focus();
  actAs(chosen.dataset.user);
}

function renderTheme() {
  const theme = stored.get("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  $("theme").replaceChildren(icon(dark ? "sun" : "moon"));
  $("theme").setAttribute("aria-label", dark ? "Switch to the light theme" : "Switch to the dark theme");
  return dark;
}

/* ── Places ───────────────────────────────────────────────────────────────────────────────────────────────────── */

const hashOf = () => (place.home ? "#/home" : `#/${place.channel ?? ""}${place.thread ? `/${place.thread}` : ""}`);

function readHash() {
  const [, channel, thread] = location.hash.split("/");
  place.home = channel === "home";
  if (world.channels.has(channel)) place.channel = channel;
  place.thread = !place.home && world.channels.has(channel) && /^\d+\.\d+$/.test(thread ?? "") ? thread : null;
}

/** Shows a channel, and a thread in it where one is named. */
function goTo(channel, thread = null, focus = false) {
  if (!world.channels.has(channel)) return;
  Object.assign(place, { channel, thread, home: false, awaited: null });
  world.unread.delete(channel);
  closeRail();
  if (location.hash !== hashOf()) history.pushState(null, "", hashOf());
  paintNow("rail", "messages");
  if (focus && thread) $("thread-composer").focus({ preventScroll: true });
}

async function goHome() {
  Object.assign(place, { home: true, thread: null });
  closeRail();
  if (location.hash !== hashOf()) history.pushState(null, "", hashOf());
  paintNow("rail", "messages", "home");
  const answer = await act({ do: "home" });
  if (!answer.ok) toast(answer.error);
}

function closeRail() {
  document.body.classList.remove("rail-open");
  $("menu").setAttribute("aria-expanded", "false");
}

function renderPlace() {
  const channel = world.channels.get(place.channel);
  const label = world.labelOf(channel);
  const named = channel?.is_im ? label : `#${label}`;
  $("place-title").replaceChildren(...(place.home ? ["App Home"] : channel?.is_im ? [label] : [icon("hash"), label]));
  $("place-topic").textContent = place.home ? world.bot.name ?? "" : channel?.topic ?? "";
  $("messages").hidden = place.home;
  $("home").hidden = !place.home;
  $("composer-form").hidden = place.home;
  document.title = `${place.home ? "App Home" : named} · ${world.team.name ?? "Runbook"}`;
  const canvases = [...world.canvases.values()].filter((c) => c.channel === place.channel);
  const size = channel?.members?.length;
  $("place-tools").replaceChildren(...(place.home ? [] : [size && !channel.is_im ? h("span", { class: "muted members", title: channel.members.map((m) => world.nameOf(m)).join(", ") }, `${size} members`) : "",
    canvases.length ? h("button", { type: "button", class: "button subtle", onclick: () => openCanvas(canvases.at(-1).id) }, icon("canvas"), "Canvas") : "",
    channel ? h("a", { class: "icon-button", href: `/export/${encodeURIComponent(channel.id)}.txt`, download: "", "aria-label": "Save this channel as text", title: "Save this channel as text" }, icon("download")) : ""]));
  const member = !channel || channel.is_im || !channel.members || channel.members.includes(me.user);
  composer.moveTo(`Message ${named}`);
  if (!member) composer.hint.textContent = WORDS.notMember(world.nameOf(me.user));
}

function renderMessages() {
  renderPlace();
  if (!place.channel) return;
  channelList.show(`${place.channel}`, channelMessages(place.channel), { channel: place.channel, replies: repliesIn(place.channel) });
  const open = Boolean(place.thread) && !place.home;
  $("thread").hidden = !open;
  document.body.classList.toggle("has-thread", open);
  if (!open) return;
  const channel = world.channels.get(place.channel);
  $("thread-place").textContent = channel?.is_im ? world.labelOf(channel) : `#${world.labelOf(channel)}`;
  threadList.show(`${place.channel}/${place.thread}`, threadMessages(place.channel, place.thread), { channel: place.channel });
  threadComposer.moveTo("Reply…");
  const status = world.statusOf(place.channel, place.thread);
  if ($("thread-status").dataset.text !== status) {
    $("thread-status").dataset.text = status;
    $("thread-status").replaceChildren(...(status ? [h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), status] : []));
  }
}

function renderHome() {
  if (!place.home) return;
  const box = $("home");
  const view = world.homes.get(me.user);
  box.dataset.viewId = view?.id ?? "";
  if (!box.firstChild) box.append(h("div", { class: "blocks home-blocks" }), h("p", { class: "empty" }, WORDS.emptyHome));
  box.lastChild.hidden = Boolean(view);
  reconcileBlocks(box.firstChild, view?.blocks ?? [], `home/${me.user}`, world.epoch);
}

/* Canvas drawer */

let canvasOpener = null;

function openCanvas(id) {
  if (!world.canvases.has(id)) return;
  canvasOpener = document.activeElement;
  $("canvas").dataset.canvas = id;
  $("canvas").hidden = false;
  closeRail();
  renderCanvas();
  $("canvas").focus({ preventScroll: true });
}

function closeCanvas() {
  $("canvas").hidden = true;
  if (canvasOpener?.isConnected) canvasOpener.focus({ preventScroll: true });
}

function renderCanvas() {
  const drawer = $("canvas");
  const canvas = world.canvases.get(drawer.dataset.canvas);
  if (drawer.hidden || !canvas) return;
  const body = $("canvas-body");
  $("canvas-title").textContent = canvas.title || "Canvas";
  const channel = world.channels.get(canvas.channel);
  $("canvas-place").textContent = channel ? `Canvas in #${channel.name}` : "Canvas";
  const before = body.shown;
  if (before?.id === canvas.id && before.markdown === canvas.markdown) return;
  const at = before?.id === canvas.id ? body.scrollTop : 0;
  body.shown = canvas;
  body.replaceChildren(...markdown(canvas.markdown));
  body.scrollTop = at;
}

/* ── The feed ─────────────────────────────────────────────────────────────────────────────────────────────────── */

const PAINTERS = { people: renderPeople, rail: renderRail, messages: renderMessages, home: renderHome, modal: renderModal, canvas: renderCanvas, connection: renderConnection };
const dirty = new Set();

/** Asks for parts to be drawn anew; bursts of events are drawn once. */
function paint(...parts) {
  if (!dirty.size) setTimeout(paintNow, 16);
  parts.forEach((part) => dirty.add(part));
}

function paintNow(...parts) {
  const now = Object.keys(PAINTERS).filter((part) => dirty.has(part) || parts.includes(part));
  dirty.clear();
  if (world.loaded) now.forEach((part) => PAINTERS[part]());
}

function renderConnection() {
  $("connection").textContent = world.connected ? WORDS.connected : WORDS.disconnected;
  $("connection").className = world.connected ? "live" : "dead";
  $("note").textContent = world.note;
  $("note").hidden = !world.note;
}

const FEED = {
  state(data) {
    const first = !world.loaded;
    world.load(data);
    $("offline").hidden = true;
    if (first) firstPlace();
    paint(...Object.keys(PAINTERS));
  },
  message({ channel, message }) {
    const before = world.put(channel, message);
    if (!before) arrived(channel, message);
    paint("messages");
  },
  gone({ channel, ts }) {
    world.box(channel).delete(ts);
    paint("messages");
  },
  modal({ user, view }) {
    const i = world.modals.findIndex((m) => m.user === user && m.view.id === view.id);
    if (i >= 0) world.modals[i] = { user, view };
    else world.modals.push({ user, view });
    paint("modal");
  },
  modal_closed({ user, view_id }) {
    viewDrafts.delete(view_id);
    forgetModal(user, view_id);
  },
  modal_errors({ user, view_id, errors }) {
    if (user === me.user && $("modal").dataset.viewId === view_id) showErrors(errors ?? {});
  },
  canvas(canvas) {
    world.canvases.set(canvas.id, canvas);
    paint("rail", "messages", "canvas");
  },
  file(file) {
    world.files.set(file.id, file);
    for (const box of document.querySelectorAll("[data-awaits-file]")) if (box.dataset.awaitsFile === file.id) fillPicture(box, file.id, box.dataset.alt ?? "");
  },
  home({ user, view }) {
    world.homes.set(user, view);
    paint("home");
  },
  status(status) {
    world.setStatus(status);
    paint("messages");
  },
  notice({ user, channel, text }) {
    const ts = (Date.now() / 1000).toFixed(6);
    world.put(channel, { type: "message", ts, text: escape(text), username: "Slackbot", ephemeral_to: user, local: true });
    if (user === me.user && (channel !== place.channel || place.home || (place.thread && !wide.matches))) toast(text);
    paint("messages");
  },
  connected({ connected }) {
    world.connected = connected;
    paint("connection");
  },
  channel(channel) {
    world.channels.set(channel.id, { ...world.channels.get(channel.id), ...channel });
    if (place.awaited === channel.id) goTo(channel.id);
    paint("rail", "messages");
  },
};

/** A new message marks its channel unread, and the head of an investigation opens its thread beside it. */
function arrived(channel, message) {
  if (channel !== place.channel || place.home) {
    if (!message.ephemeral_to && isTop(message)) {
      world.unread.add(channel);
      paint("rail");
    }
    return;
  }
  const writing = place.thread && threadComposer.input.value.trim();
  if (isHead(message) && !message.ephemeral_to && wide.matches && !writing) goTo(channel, message.ts);
}

function firstPlace() {
  readHash();
  const usable = [...world.channels.values()].filter((c) => !c.is_im);
  renderPeople();
  place.channel ??= (usable.find((c) => channelMessages(c.id).some(isHead)) ?? usable[0] ?? [...world.channels.values()][0])?.id ?? null;
  if (!location.hash && place.channel && wide.matches) place.thread = channelMessages(place.channel).filter(isHead).at(-1)?.ts ?? null;
  history.replaceState(null, "", hashOf());
  composer = new Composer($("composer-form"), "composer", false);
  threadComposer = new Composer($("thread-form"), "thread-composer", true);
  if (place.home) act({ do: "home" });
}

function follow() {
  const source = new EventSource("/feed");
  for (const [name, tell] of Object.entries(FEED)) source.addEventListener(name, (event) => tell(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    $("offline").textContent = WORDS.offline;
    $("offline").hidden = false;
    // The browser retries a broken stream by itself, but gives up on a refused one.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  });
}

let composer = null;
let threadComposer = null;
const channelList = new MessageList($("messages"), false);
const threadList = new MessageList($("thread-messages"), true);

function wire() {
  for (const [id, shape] of Object.entries({ menu: "menu", "thread-back": "back", "thread-close": "close", "canvas-close": "close" })) $(id).append(icon(shape));
  const closeThread = () => {
    const root = place.thread;
    goTo(place.channel);
    channelList.rows.get(root)?.element.focus({ preventScroll: true });
  };
  $("thread-close").addEventListener("click", closeThread);
  $("thread-back").addEventListener("click", closeThread);
  $("canvas-close").addEventListener("click", closeCanvas);
  $("canvas").addEventListener("keydown", (event) => event.key === "Escape" && closeCanvas());
  $("acting-as").addEventListener("keydown", walkPeople);
  $("menu").addEventListener("click", () => $("menu").setAttribute("aria-expanded", String(document.body.classList.toggle("rail-open"))));
  $("main").addEventListener("pointerdown", (event) => !event.target.closest("#menu") && closeRail());
  $("rail").addEventListener("keydown", (event) => event.key === "Escape" && (closeRail(), $("menu").focus()));
  $("theme").addEventListener("click", () => {
    stored.set("theme", renderTheme() ? "light" : "dark");
    document.documentElement.dataset.theme = stored.get("theme") ?? "light";
    renderTheme();
  });
  // Escape asks the server to close, as the button does; `cancel` is the same wish from a phone's back gesture.
  const dismiss = (event) => {
    event.preventDefault();
    closeModal($("modal").dataset.viewId);
  };
  $("modal").addEventListener("cancel", dismiss);
  $("modal").addEventListener("keydown", (event) => event.key === "Escape" && dismiss(event));
  $("modal").addEventListener("input", () => viewDrafts.set($("modal").dataset.viewId, collect($("modal"))));
  $("modal").addEventListener("close", () => modalOpener?.isConnected && modalOpener.focus({ preventScroll: true }));
  trapFocus($("modal"));
  trapFocus($("confirm"));
  addEventListener("popstate", () => {
    if (!world.loaded) return;
    readHash();
    paint("rail", "messages", "home");
  });
  renderTheme();
}

wire();
follow();
