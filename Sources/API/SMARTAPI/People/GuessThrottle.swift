import Access
import HTTPSupport
import HTTPTypes

/// Who has guessed too often at passwords and codes.
///
/// A wrong guess counts for the pair of address and name, and for the address; never for the name alone, so that nobody
/// locks a person out from elsewhere. A browser that has signed in to an account before is counted by itself: guesses of
/// others at the same address do not lock it out either. Second factors, which are asked for behind the right password,
/// are counted for the account as well, since a code of six digits is guessed from many addresses.
struct GuessThrottle: Sendable {
    /// Of a person or a browser: ten in a row, then two a minute.
    static var personLimits: StrangerLimits {
        var limits = StrangerLimits()
        limits.burst = 10
        limits.perMinute = 2
        return limits
    }
    /// Of an address, behind which a whole house may be.
    static var addressLimits: StrangerLimits {
        var limits = StrangerLimits()
        limits.burst = 100
        limits.perMinute = 30
        return limits
    }
    /// Of second factors of an account: a code is guessed within years.
    static var accountLimits: StrangerLimits {
        var limits = StrangerLimits()
        limits.burst = 50
        limits.perMinute = 1
        return limits
    }

    /// Who guesses at what.
    struct Guesser: Sendable {
        let address: String?
        /// The name as typed, or the account's id behind the password.
        let subject: String
        /// Of a browser that has signed in to the account before.
        let device: String?
        let isSecondFactor: Bool

        fileprivate var person: StrangerThrottle.Key {
            let subject = (isSecondFactor ? "code:" : "name:") + String(subject.prefix(64))
            return device.map { StrangerThrottle.Key(address: nil, client: "\(subject):\($0)") }
                ?? StrangerThrottle.Key(address: address, client: subject)
        }
        fileprivate var place: StrangerThrottle.Key { StrangerThrottle.Key(address: address) }
        fileprivate var account: StrangerThrottle.Key { StrangerThrottle.Key(address: nil, client: subject) }
    }

    private let persons: StrangerThrottle
    private let addresses: StrangerThrottle
    private let accounts: StrangerThrottle

    init(now: @escaping @Sendable () -> Int64) {
        persons = StrangerThrottle(limits: Self.personLimits, now: now)
        addresses = StrangerThrottle(limits: Self.addressLimits, now: now)
        accounts = StrangerThrottle(limits: Self.accountLimits, now: now)
    }

    /// Seconds to wait before a guess is looked at; nil when it is now.
    func wait(_ guesser: Guesser) -> Int? {
        if let seconds = persons.wait(guesser.person) { return seconds }
        guard guesser.device == nil else { return nil }
        if let seconds = addresses.wait(guesser.place) { return seconds }
        return guesser.isSecondFactor ? accounts.wait(guesser.account) : nil
    }

    /// Notes a wrong guess.
    func wrong(_ guesser: Guesser) {
        _ = persons.refused(guesser.person)
        guard guesser.device == nil else { return }
        _ = addresses.refused(guesser.place)
        if guesser.isSecondFactor { _ = accounts.refused(guesser.account) }
    }
}
