import Access
import Cryptography
import SMARTAPI
import SQLStore
import Workflow

/// Where people sign in.
enum PeopleComposition {
    /// The keys of sessions, codes and second factors, from the master key; nil where that was put away.
    static func keys(_ folder: ServerFolder) -> PeopleKeys? {
        StoreComposition.derivedKey(folder, "hilum people v1").map { PeopleKeys(key: $0) }
    }

    static func sessions(
        _ store: RelationalStore, keys: PeopleKeys, clock: any Workflow.Clock
    ) -> PeopleSessions {
        PeopleSessions(
            accounts: store, sessions: store, keys: keys, now: { clock.now().microseconds },
            randomBytes: { SecureRandom.bytes($0) })
    }
}
