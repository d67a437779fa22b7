// The views of the dashboard, which the header shows as tabs; each is a folder beside this file.
import type { ComponentType } from "preact";
import type { ViewId } from "../state/url.ts";
import { Dashboard } from "./dashboard/Dashboard.tsx";
import { StorageView } from "./storage/StorageView.tsx";

export interface View {
  readonly id: ViewId;
  readonly title: string;
  readonly component: ComponentType;
}

export const VIEWS: readonly [View, ...View[]] = [
  { id: "dashboard", title: "Dashboard", component: Dashboard },
  { id: "storage", title: "Storage", component: StorageView },
];
