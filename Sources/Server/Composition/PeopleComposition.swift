import Access
import Cryptography
import SMARTAPI
import SQLStore
import Workflow

/// Where people sign in.
enum PeopleComposition {
    /// The keys of sessions, codes and second factors.
    static func keys(_ keys: StoreKeys) -> PeopleKeys { PeopleKeys(key: keys.derived("hilum people v1")) }

    static func sessions(
        _ store: RelationalStore, keys: PeopleKeys, clock: any Workflow.Clock
    ) -> PeopleSessions {
        PeopleSessions(
            accounts: store, sessions: store, keys: keys, now: { clock.now().microseconds },
            randomBytes: { SecureRandom.bytes($0) })
    }
}
