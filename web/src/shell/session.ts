// Who may do what at this door: whether it asks for a token, and whether it lets anything be changed.
import { signal } from "@preact/signals";
import { Problem, type Session, service } from "../api";

export const session = signal<Session | undefined>(undefined);
export const isReadOnly = () => session.value?.readOnly === true;

export async function readSession(): Promise<void> {
  try {
    session.value = await service.session();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) session.value = { required: true, signedIn: false };
    else setTimeout(readSession, 3000); // the door is away: its pages say so
  }
}

export async function signIn(token: string): Promise<void> {
  await service.signIn(token);
  await readSession();
}
