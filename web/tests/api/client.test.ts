import { afterEach, describe, expect, it, vi } from "vitest";
import { addressOf, getJson, newKey, send } from "../../src/api/client";
import { Problem, Unreachable } from "../../src/api/problem";

const asked: { url: string; init: RequestInit }[] = [];

function answering(answer: () => Response | Promise<Response>): void {
  vi.stubGlobal("document", { baseURI: "http://door.example/below/" });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return answer();
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
  asked.length = 0;
});

describe("requests", () => {
  it("go below the page's base, with each part of the path encoded", () => {
    const base = "http://door.example/below/";
    expect(addressOf(["plans", "a/../b"], {}, base)).toBe(
      "http://door.example/below/api/v1/plans/a%2F..%2Fb",
    );
    expect(
      addressOf(
        ["executions"],
        { state: ["running", "failed"], text: "", planId: undefined, pageSize: 5 },
        base,
      ),
    ).toBe("http://door.example/below/api/v1/executions?state=running&state=failed&pageSize=5");
  });

  it("carry a key when they command, the same when they are repeated", async () => {
    answering(() => Response.json({}));
    await send("POST", ["executions", "a", "pause"], { reason: "lunch" }, { key: "k1" });
    await send("POST", ["plans", "check"], '{"tasks": []}');
    await getJson(["workers"]);
    const headers = asked.map(({ init }) => new Headers(init.headers));
    expect(headers[0]!.get("Idempotency-Key")).toBe("k1");
    expect(headers[1]!.get("Idempotency-Key")).toMatch(/^[0-9a-f]{32}$/);
    expect(headers[1]!.get("Content-Type")).toBe("application/json");
    expect(asked[1]!.init.body).toBe('{"tasks": []}');
    expect(headers[2]!.has("Idempotency-Key")).toBe(false);
    expect(newKey()).not.toBe(newKey());
  });

  it("throw the door's sentence", async () => {
    const body = {
      detail: "expected a paused execution, but a is running",
      reason: "WRONG_STATE",
      status: 409,
    };
    answering(() => Response.json(body, { status: 409, headers: { "Retry-After": "3" } }));
    const problem = await getJson(["executions", "a"]).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      message: body.detail,
      reason: "WRONG_STATE",
      status: 409,
      retryAfter: 3,
    });
  });

  it("say something of an answer that is not the door's", async () => {
    answering(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    await expect(getJson(["workers"])).rejects.toThrow("the server answered with status 502 and no sentence");
  });

  it("tell when there is no answer at all", async () => {
    answering(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(getJson(["workers"])).rejects.toBeInstanceOf(Unreachable);
  });
});
