import { AccountsRpc } from "./AccountsRpc.ts"
import { AdminRpc } from "./AdminRpc.ts"
import { AuditRpc } from "./AuditRpc.ts"
import { CallBoundary } from "./Call.ts"
import { ConversationsRpc } from "./ConversationsRpc.ts"
import { FactorsRpc } from "./FactorsRpc.ts"
import { GenerationsRpc } from "./GenerationsRpc.ts"
import { IdentitiesRpc } from "./IdentitiesRpc.ts"
import { InvitationsRpc } from "./InvitationsRpc.ts"
import { KeysRpc } from "./KeysRpc.ts"
import { LimitsRpc } from "./LimitsRpc.ts"
import { MailRpc } from "./MailRpc.ts"
import { MembershipsRpc } from "./MembershipsRpc.ts"
import { MessagesRpc } from "./MessagesRpc.ts"
import { ProviderKeysRpc } from "./ProviderKeysRpc.ts"
import { SessionsRpc } from "./SessionsRpc.ts"
import { SsoRpc } from "./SsoRpc.ts"
import { TenantsRpc } from "./TenantsRpc.ts"
import { UsageRpc } from "./UsageRpc.ts"

/** Path of all RPC calls, by HTTP (a POST of newline-delimited JSON) or by WebSocket. */
export const RPC_PATH = "/rpc"

/** All RPC calls: the HTTP API once more, for clients written with Effect. */
export class Rpcs extends TenantsRpc.merge(
  AccountsRpc,
  SessionsRpc,
  MailRpc,
  FactorsRpc,
  MembershipsRpc,
  InvitationsRpc,
  MessagesRpc,
  ConversationsRpc,
  GenerationsRpc,
  KeysRpc,
  LimitsRpc,
  ProviderKeysRpc,
  SsoRpc,
  IdentitiesRpc,
  UsageRpc,
  AdminRpc,
  AuditRpc
).middleware(CallBoundary) {}
