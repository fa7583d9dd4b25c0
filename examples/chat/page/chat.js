const [enter, say] = ["enter", "say"].map((id) => document.getElementById(id));
const state = document.getElementById("state");
const lines = document.getElementById("lines");

/** Wait before the next attempt to connect; doubled each time, up to 10 s. */
const firstWaitMs = 250;
let waitMs = firstWaitMs;
let socket;

function connect({ name, room, key }) {
  const url = new URL(`/chat/${encodeURIComponent(room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("name", name);
  socket = new WebSocket(url);
  // Pages cannot set headers: the key is the first message.
  socket.onopen = () => send({ type: "authenticate", apiKey: key });
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code, reason }) => {
    say.hidden = true;
    // 1008, 3000 and 3003 are about us; anything else is about the server, which has others.
    if ([1008, 3000, 3003].includes(code)) return show(reason);
    show("Connecting again");
    setTimeout(() => connect({ name, room, key }), waitMs * (1 + Math.random()));
    waitMs = Math.min(waitMs * 2, 10_000);
  };
}

function receive(message) {
  if (message.type === "connected") {
    waitMs = firstWaitMs;
    say.hidden = false;
    show("You are in");
  } else if (message.type === "push") add(message.data);
  else if (message.ok === false) show(message.error.detail ?? message.error.title);
}

function send(message) {
  socket.send(JSON.stringify(message));
}

function show(text) {
  state.textContent = text;
}

function add({ from, text }) {
  const line = document.createElement("li");
  line.textContent = from === undefined ? text : `${from}: ${text}`;
  if (from === undefined) line.className = "house";
  lines.append(line);
}

enter.addEventListener("submit", (event) => {
  event.preventDefault();
  enter.hidden = true;
  connect(Object.fromEntries(new FormData(enter)));
});

say.addEventListener("submit", (event) => {
  event.preventDefault();
  void send({ service: "say", input: { text: new FormData(say).get("text") } });
  say.reset();
});
