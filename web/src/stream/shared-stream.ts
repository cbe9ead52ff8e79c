// The SharedWorker in which the hub runs. It ends with the last tab.
import { Hub, type Port } from "./hub";
import type { ToHub } from "./messages";

// As built, the worker's own address lies in the folder of the page, which is the base of all addresses.
const hub = new Hub(new URL(import.meta.env.DEV ? "/" : "./", self.location.href).href);

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  const channel = event.ports[0]!;
  const port: Port = { post: (message) => channel.postMessage(message) };
  channel.onmessage = (said: MessageEvent<ToHub>) => hub.receive(port, said.data);
};
self.addEventListener("online", () => hub.hurry());
