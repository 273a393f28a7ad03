// What an account sent while it was on hold goes out; for some seconds that can be taken back.
import { post } from "../api";
import type { User } from "../../generated/api";
import { holdWords } from "../hold";
import { toast } from "../parts";
import { t } from "../words";

export function release(user: User, done: () => void, failed: (error: unknown) => void): void {
  const undo = (): void => void post<void>(["users", user.address, "hold"], { reason: holdWords(user.sending.hold) }).then(done, failed);
  post<{ released: number }>(["users", user.address, "release"]).then(({ released }) => {
    failed(undefined);
    toast(t("released", { n: released }), undo);
    done();
  }, failed);
}
