import type { Profile } from "./profile.ts";
import { ledge } from "./profiles/ledge.ts";
import { litellm } from "./profiles/litellm.ts";
import { openai } from "./profiles/openai.ts";
import { portkey } from "./profiles/portkey.ts";

export const profiles: readonly Profile[] = [ledge, openai, portkey, litellm];
