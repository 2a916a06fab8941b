import Access
import Synchronization

@testable import SMARTAPI

/// Passkeys in memory beside the accounts of a test, by the rules of the port.
final class MemoryPasskeys: PasskeyDirectory {
    private struct State {
        var passkeys: [Passkey] = []
        var used: Set<[UInt8]> = []
    }
    private let state = Mutex(State())
    private let people: MemoryPeople

    init(_ people: MemoryPeople) { self.people = people }

    var all: [Passkey] { state.withLock { $0.passkeys } }
    func removeAll(of accountID: String) { state.withLock { $0.passkeys.removeAll { $0.accountID == accountID } } }

    func passkeys(of accountID: String) async throws -> [Passkey] { all.filter { $0.accountID == accountID } }
    func havePasskeys(_ accountIDs: [String]) async throws -> Set<String> {
        Set(all.map(\.accountID)).intersection(accountIDs)
    }
    func passkey(credentialID: [UInt8]) async throws -> Passkey? { all.first { $0.credentialID == credentialID } }

    func add(
        _ passkey: Passkey, recoveryDigests: [[UInt8]]?, using challenge: UsedChallenge, ofAccountChangedAt time: Int64
    ) async throws -> PasskeyAddition {
        let account = try await people.account(id: passkey.accountID)
        guard account?.state == .active, account?.changedAt == time else { return .tooLate }
        let outcome = state.withLock { state -> PasskeyAddition in
            guard state.passkeys.count(where: { $0.accountID == passkey.accountID }) < Passkey.countMax else {
                return .tooMany
            }
            guard state.used.insert(challenge.digest).inserted else { return .tooLate }
            guard !state.passkeys.contains(where: { $0.credentialID == passkey.credentialID }) else { return .isTaken }
            state.passkeys.append(passkey)
            return .added
        }
        if outcome == .added { try await people.noteFactor(passkey.accountID, recoveryDigests, at: passkey.createdAt) }
        return outcome
    }

    func use(
        _ passkey: Passkey, signCount: UInt32, isBackedUp: Bool, using challenge: UsedChallenge, at time: Int64
    ) async throws -> Bool {
        state.withLock { state in
            guard state.used.insert(challenge.digest).inserted,
                let index = state.passkeys.firstIndex(where: {
                    $0.id == passkey.id && $0.accountID == passkey.accountID
                }),
                state.passkeys[index].signCount < signCount || (state.passkeys[index].signCount == 0 && signCount == 0)
            else { return false }
            state.passkeys[index].signCount = signCount
            state.passkeys[index].isBackedUp = isBackedUp
            state.passkeys[index].usedAt = time
            return true
        }
    }

    func removePasskey(
        id: String, of accountID: String, keepingSession: String?, mustKeepFactor: Bool, at time: Int64
    ) async throws -> PasskeyRemoval {
        guard let account = try await people.account(id: accountID) else { return .unknown }
        let outcome = state.withLock { state -> (PasskeyRemoval, isLast: Bool) in
            let own = state.passkeys.filter { $0.accountID == accountID }
            guard own.contains(where: { $0.id == id }) else { return (.unknown, false) }
            let isLast = own.count == 1 && account.sealedSecret == nil
            if isLast, mustKeepFactor { return (.isLastFactor, true) }
            state.passkeys.removeAll { $0.id == id && $0.accountID == accountID }
            return (.removed, isLast)
        }
        guard outcome.0 == .removed else { return outcome.0 }
        try await people.noteFactor(accountID, outcome.isLast ? [] : nil, at: time)
        _ = try await people.endAll(of: accountID, but: keepingSession)
        return .removed
    }
}

/// What people are not asked again, in memory.
final class MemoryConsents: ConsentDirectory {
    private let state = Mutex((consents: [RememberedConsent](), withdrawn: [String]()))
    private let clients: any ClientDirectory

    init(_ clients: any ClientDirectory) { self.clients = clients }

    var all: [RememberedConsent] { state.withLock { $0.consents } }
    var withdrawn: [String] { state.withLock { $0.withdrawn } }

    func consent(
        of accountID: String, clientID: String, patientID: String?, at time: Int64
    ) async throws -> RememberedConsent? {
        all.first {
            $0.accountID == accountID && $0.clientID == clientID && $0.patientID == patientID && $0.expires > time
        }
    }
    func remember(_ consent: RememberedConsent, inSession sessionID: String) async throws -> Bool {
        state.withLock { state in
            state.consents.removeAll {
                $0.accountID == consent.accountID && $0.clientID == consent.clientID
                    && $0.patientID == consent.patientID
            }
            state.consents.append(consent)
        }
        return true
    }
    func access(of accountID: String, at time: Int64) async throws -> [AppAccess] {
        let names = Dictionary(uniqueKeysWithValues: try await clients.clients().map { ($0.id, $0.name) })
        return all.filter { $0.accountID == accountID && $0.expires > time }.map {
            AppAccess(
                clientID: $0.clientID, name: names[$0.clientID] ?? $0.clientID, scopes: $0.agreed, since: $0.agreedAt,
                rememberedUntil: $0.expires)
        }
    }
    func withdraw(clientID: String, of accountID: String, at time: Int64) async throws -> Bool {
        state.withLock { state in
            let before = state.consents.count
            state.consents.removeAll { $0.accountID == accountID && $0.clientID == clientID }
            guard state.consents.count < before else { return false }
            state.withdrawn.append(clientID)
            return true
        }
    }
}
