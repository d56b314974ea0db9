/** @jsxImportSource hono/jsx */
/** The health of a profile's data as an icon, a colour and a word. */

import { HEALTH_WORDS, type Health } from "../../domain/profiles/health.ts";
import { Pill } from "../ui/components.tsx";

const STYLES: Readonly<Record<Health, readonly [icon: string, pill: string]>> = {
  ok: ["complete", "complete"],
  revised: ["revised", "paused"],
  stale: ["stale", "paused"],
  gaps: ["gaps", "paused"],
  suspicious: ["suspicious", "failed"],
};

export const HealthPill = ({ health }: { health: Health }) => {
  const [icon, pill] = STYLES[health];
  const [name, meaning] = HEALTH_WORDS[health];
  return (
    <Pill look={pill} icon={icon} title={meaning}>
      {name}
    </Pill>
  );
};
