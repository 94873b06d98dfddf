import type { ComponentChildren } from "preact";

interface StateProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Where there is nothing yet: what will stand here, and how it comes about. */
export function Empty({ title, children }: StateProps) {
  return (
    <div class="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Problem({ title, children }: StateProps) {
  return (
    <div class="state problem" role="alert">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Keeps the place of what is on its way, so that nothing jumps when it comes. */
export function Loading({ height = "12rem" }: { readonly height?: string }) {
  return (
    <div class="skeleton" style={{ minHeight: height }} role="status">
      <span class="hidden">Loading</span>
    </div>
  );
}

export type Tone = "running" | "paused" | "done" | "stopped" | "damaged";

/** A state in one word, with a colour that is not needed to understand it. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
