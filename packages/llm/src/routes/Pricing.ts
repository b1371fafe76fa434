import type { Pricing } from "@llm-saas/domain/Pricing"
import type { Configuration, ProviderSettings, Route, RouteTarget } from "./Configuration.ts"

/** Whom a target is paid to. */
export const pricingOf = (
  { baseUrl, name, type }: Pick<ProviderSettings, "baseUrl" | "name" | "type">,
  { listed, price, target }: RouteTarget
): Pricing => ({ own: price, provider: name, type, baseUrl, model: target.model, listed })

/** Whom a model's answers may be paid to by the installation. */
export const pricingsOf = ({ providers }: Configuration, { targets }: Route): ReadonlyArray<Pricing> =>
  targets.flatMap((target) =>
    providers
      .filter(({ keyPolicy, name }) => name === target.provider && keyPolicy !== "tenant_only")
      .map((settings) => pricingOf(settings, target))
  )
