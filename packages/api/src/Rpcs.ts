import { AccountsRpc } from "./AccountsRpc.ts"
import { AdminRpc } from "./AdminRpc.ts"
import { CallBoundary } from "./Call.ts"
import { ConversationsRpc } from "./ConversationsRpc.ts"
import { GenerationsRpc } from "./GenerationsRpc.ts"
import { MessagesRpc } from "./MessagesRpc.ts"
import { TenantsRpc } from "./TenantsRpc.ts"

/** Where the calls go, by HTTP (a POST of newline-delimited JSON) or by WebSocket. */
export const RPC_PATH = "/rpc"

/** Every call of the RPC door: the HTTP contract once more, for clients written with Effect. */
export class Rpcs extends TenantsRpc.merge(
  AccountsRpc,
  MessagesRpc,
  ConversationsRpc,
  GenerationsRpc,
  AdminRpc
).middleware(CallBoundary) {}
