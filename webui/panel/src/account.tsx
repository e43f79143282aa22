import { createContext, useContext } from "react";
import type { Role, Session } from "./api/types";

/** Who is signed in. Only pages behind the sign-in ask. */
const Account = createContext<{ session: Session; signOut: () => void } | null>(null);
export const AccountProvider = Account.Provider;

export function useAccount(): { session: Session; signOut: () => void } {
  const account = useContext(Account);
  if (!account) throw new Error("a page asked who is signed in outside the session");
  return account;
}

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether a role reaches another one. */
export const mayAs = (role: Role, needed: Role): boolean => RANK[role] >= RANK[needed];
