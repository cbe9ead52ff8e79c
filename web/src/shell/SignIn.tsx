import { useState } from "preact/hooks";
import { Button, usePress } from "../ui";
import { signIn } from "./session";
import { s } from "./strings";

export function SignIn() {
  const [token, setToken] = useState("");
  const { press, busy } = usePress(() => signIn(token));
  const send = (event: Event) => {
    event.preventDefault();
    void press();
  };
  return (
    <form class="card stack sign-in" onSubmit={send}>
      <h1>{s.signIn()}</h1>
      <p class="muted">{s.tokenWhy()}</p>
      <label class="stack tight">
        <span>{s.token()}</span>
        <input
          class="field"
          type="password"
          autocomplete="current-password"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <Button kind="primary" type="submit" busy={busy} disabled={token === ""}>
        {s.signIn()}
      </Button>
    </form>
  );
}
