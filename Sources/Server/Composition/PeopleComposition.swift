import Access
import Cryptography
import SMARTAPI
import SQLStore
import Workflow

/// Where people sign in.
enum PeopleComposition {
    /// The keys of sessions, codes and second factors, from the store's keys; nil where the master key was put away.
    static func keys(_ configuration: ServerConfiguration, _ folder: ServerFolder) -> PeopleKeys? {
        StoreComposition.derivedKey(configuration, folder, "hilum people v1").map { PeopleKeys(key: $0) }
    }

    static func sessions(
        _ store: RelationalStore, keys: PeopleKeys, clock: any Workflow.Clock
    ) -> PeopleSessions {
        PeopleSessions(
            accounts: store, sessions: store, keys: keys, now: { clock.now().microseconds },
            randomBytes: { SecureRandom.bytes($0) })
    }
}
