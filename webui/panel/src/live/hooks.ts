import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { get, Problem } from "../api/client";
import { current, now as browserNow, onEvent } from "./store";
import type { Event } from "./state";

let second = Math.floor(browserNow());
const beats = new Set<() => void>();
let beating: ReturnType<typeof setInterval> | undefined;

function onBeat(beat: () => void): () => void {
  beats.add(beat);
  beating ??= setInterval(() => {
    second = Math.floor(browserNow() + current().offset);
    for (const one of beats) one();
  }, 1000);
  return () => {
    beats.delete(beat);
    if (beats.size === 0) {
      clearInterval(beating);
      beating = undefined;
    }
  };
}

/** The server's time in epoch seconds, once a second. */
export function useNow(): number {
  useSyncExternalStore(onBeat, () => second);
  return browserNow() + current().offset;
}

/** True once `ms` have passed while `waiting`: a quick answer shows no skeleton. */
export function useLate(waiting: boolean, ms = 300): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!waiting) return;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [waiting, ms]);
  return late && waiting;
}

export type Loaded<T> = { data: T | null; problem: Problem | null; reload: () => void; set: (data: T) => void };

/** One resource by its path; asked again whenever `again(event)` says that an event touched it. */
export function useResource<T>(path: string, again: (event: Event) => boolean): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const touches = useRef(again);
  touches.current = again;
  const turn = useRef(0);

  const reload = useCallback(() => {
    const mine = ++turn.current;
    get<T>(path).then(
      (answer) => {
        if (mine !== turn.current) return;
        setData(answer);
        setProblem(null);
      },
      (error: unknown) => {
        if (mine === turn.current) setProblem(error instanceof Problem ? error : new Problem(0, "no_answer", "", String(error)));
      },
    );
  }, [path]);

  useEffect(() => {
    setData(null);
    setProblem(null);
    reload();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onEvent((event) => {
      if (!touches.current(event)) return;
      clearTimeout(timer);
      timer = setTimeout(reload, 60);
    });
    return () => {
      turn.current += 1;
      clearTimeout(timer);
      stop();
    };
  }, [reload]);

  return { data, problem, reload, set: setData };
}

/** Rows may only be added while their top is in sight; else they wait, counted, until asked for. */
export function useHeld<T extends { id: string }>(items: T[], top: () => boolean): { shown: T[]; fresh: number; show: () => void } {
  const known = useRef<Set<string> | null>(null);
  const [, redraw] = useState(0);
  if (known.current === null || top()) known.current = new Set(items.map((item) => item.id));
  const seen = known.current;
  const shown = items.filter((item) => seen.has(item.id));
  return {
    shown,
    fresh: items.length - shown.length,
    show: () => {
      known.current = null;
      redraw((n) => n + 1);
    },
  };
}
