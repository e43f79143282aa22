import { describe, expect, it } from "vitest";
import { en } from "./en";
import { plain } from "./rich";

const calm = { approvals: 0, alerts: 0, critical: 0, silent: 0, agentsDown: 0, refusedContent: false };

describe("the answer of the Overview", () => {
  it("says that all is well when nothing is counted", () => {
    expect(en.answer(calm)).toBe("All is well. Nothing needs you.");
  });
  it("says what needs a hand first, with number and severity", () => {
    expect(en.answer({ ...calm, approvals: 1, alerts: 3, critical: 1 })).toBe(
      "A run waits for your answer; three alerts are open, one of them critical. The rest is well.",
    );
  });
  it("knows one, all and many", () => {
    expect(en.answer({ ...calm, alerts: 1, critical: 1 })).toBe("One alert is open, and it is critical. The rest is well.");
    expect(en.answer({ ...calm, alerts: 2, critical: 2 })).toBe("Two alerts are open, all of them critical. The rest is well.");
    expect(en.answer({ ...calm, approvals: 12 })).toBe("12 runs wait for your answer. The rest is well.");
  });
  it("names silent hosts, agents that are down and refused content", () => {
    expect(en.answer({ ...calm, silent: 1, agentsDown: 2, refusedContent: true })).toBe(
      "One host is silent; two agents are not running; the newest content is refused. The rest is well.",
    );
  });
});

describe("the sentences of runs", () => {
  const place = [{ code: "web-3" }];
  it("give cause, place and time", () => {
    expect(plain(en.story.run.succeeded("restart-service", place, "4.1 s", "service-down"))).toBe(
      "Ran restart-service on web-3 after service-down fired. It was done in 4.1 s.",
    );
  });
  it("end with one full stop whatever the error ends with", () => {
    expect(plain(en.story.run.failed("x", place, "no answer."))).toBe("Ran x on web-3; it failed: no answer.");
    expect(plain(en.story.run.rolledBack("x", [], "no answer"))).toBe("Ran x; it failed: no answer. What it had done is rolled back.");
  });
  it("count steps", () => {
    expect(en.run.counts(3, 0, 1, 2)).toBe("6 steps: 3 done, 1 under way, 2 to come");
    expect(en.run.counts(1, 1, 0, 0)).toBe("2 steps: 1 done, 1 failed");
    expect(en.decision.runDid(2, 3, 1)).toBe("did 2 of 3 steps; one was not needed");
  });
});

describe("what follows from an answer", () => {
  it("names what cannot be undone, what is taken back, and what silence means", () => {
    expect(en.approval.yesBody(2, true)).toBe("The run goes on with 2 steps to come. At least one of them cannot be undone.");
    expect(en.approval.yesBody(1, true)).toBe("The run goes on with 1 step to come. It cannot be undone.");
    expect(en.approval.noBody(1)).toBe("The run ends here and 1 step is taken back; an open alert stays open.");
    expect(en.approval.silenceBody(true, "15:16:05")).toBe("Same as reject, at 15:16:05.");
    expect(en.approval.silenceBody(false, "15:16:05")).toBe("Same as approve, at 15:16:05.");
  });
});
