// The page begins here: the wishes of the system, the address, the keys, and the shell with the page of the address.
import { render } from "preact";
import { tellDocument } from "./i18n/language";
import { listen } from "./router";
import { keepCounting } from "./shell/inbox";
import { Shell } from "./shell/Shell";
import { readSession } from "./shell/session";
import { followSystem } from "./theme/theme";
import { listenToKeys } from "./ui/keys";
import { recall } from "./ui/memory";
import "./theme/tokens.css";
import "./theme/base.css";

followSystem();
tellDocument();
listen();
listenToKeys();
void readSession();
keepCounting();
if (recall("notify") === "on") void import("./pages/inbox/notify").then(({ begin }) => begin());
render(<Shell />, document.getElementById("page")!);
