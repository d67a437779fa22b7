// The views of the dashboard. With a second one the header shows tabs; each is a folder beside this file.
import type { ComponentType } from "preact";
import { Dashboard } from "./dashboard/Dashboard.tsx";

export interface View {
  readonly id: string;
  readonly title: string;
  readonly component: ComponentType;
}

export const VIEWS = [{ id: "dashboard", title: "Dashboard", component: Dashboard }] as const satisfies readonly View[];
